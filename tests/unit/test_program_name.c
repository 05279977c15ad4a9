/* cgi/format/counters_args.h and cgi/collect/program_name.h: whose coverage it is, out of good
 * files and bad ones. */
#include "unit.h"

#include "made_arguments.h"
#include "scratch.h"

#include "cgi/collect/program_name.h"
#include "cgi/directory/coverage_screen.h"
#include "cgi/format/counters_args.h"

/* --- argv[0] --------------------------------------------------------------------------------- */

/* argv[0] in a file of these bytes; the caller frees it. */
static char *argv0_in(const struct buffer *file)
{
	cleanup_buffer struct buffer scratch_bytes = BUFFER_INIT, argv0 = BUFFER_INIT;
	const char *path = in_scratch("argv0");
	cleanup_fd int fd = -1;
	struct error err = {0};

	write_file(path, file->data, file->len);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(counters_argv0(fd, file->len, &scratch_bytes, &argv0, &err), 0);
	return strdup(buffer_str(&argv0));
}

static void expect_argv0(const struct buffer *file, const char *want)
{
	cleanup_free char *got = argv0_in(file);

	assert_string_equal(got, want);
}

static void argv0_is_found(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	(void)state;
	make_counters_by(&b, "/srv/bin/shop", 13);
	expect_argv0(&b, "/srv/bin/shop");
}

static void argv0_may_lie_beyond_the_first_read(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	char path[20001];

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	make_counters_by(&b, path, sizeof path - 1);
	expect_argv0(&b, path);
}

static void no_arguments_no_argv0(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	(void)state;
	make_counters(&b, 1);
	expect_argv0(&b, "");
}

static void a_file_that_is_cut_has_no_argv0(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	size_t end;

	(void)state;
	make_counters_by(&b, "/srv/bin/shop", 13);
	end = b.len - 20; /* entry and footer */
	while (b.len > 0) {
		cleanup_free char *got = NULL;

		b.len--;
		got = argv0_in(&b);
		assert_string_equal(got, b.len >= end ? "/srv/bin/shop" : "");
	}
}

/* Each byte of the strings and arguments wrong in turn: something or nothing comes, never a
 * crash. */
static void a_damaged_file_does_no_harm(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	size_t at;

	(void)state;
	make_counters_by(&b, "shop", 4);
	for (at = COVCOUNTERS_HEADER_SIZE; at < b.len - COVCOUNTERS_FOOTER_SIZE; at++) {
		static const unsigned char wrong[] = {0, 1, 0x7f, 0x80, 0xff};
		char right = b.data[at];
		size_t i;

		for (i = 0; i < sizeof wrong; i++) {
			cleanup_free char *got = NULL;

			b.data[at] = (char)wrong[i];
			got = argv0_in(&b);
			assert_true(strlen(got) < b.len);
		}
		b.data[at] = right;
	}
	expect_argv0(&b, "shop");
}

static void counts_that_lie_end_with_the_bytes(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT, strings = BUFFER_INIT, args = BUFFER_INIT;

	(void)state;
	/* 2^63 strings, of which one is there; 2^63 pairs */
	buffer_append(&strings, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\1\5argv0", 16);
	buffer_append(&args, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\1\1\1", 12);
	make_counters_of(&b, &strings, &args);
	expect_argv0(&b, "");
}

static void a_section_that_claims_too_much_is_not_read(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	(void)state;
	make_counters_by(&b, "shop", 4);
	memcpy(b.data + COVCOUNTERS_HEADER_SIZE + 8, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	expect_argv0(&b, "");
}

/* --- names ----------------------------------------------------------------------------------- */

static void names_by_import_path(void **state)
{
	static const char *const cases[][2] = {
	    {"example.org/shop", "shop"},
	    {"shop", "shop"},
	    {"example.org/shop/v2", "shop"},
	    {"example.org/shop/v17", "shop"},
	    {"example.org/shop/v1", "v1"},
	    {"example.org/shop/v0", "v0"},
	    {"example.org/shop/v02", "v02"},
	    {"example.org/shop/v2x", "v2x"},
	    {"example.org/shop/v", "v"},
	    {"v2", "v2"},
	    {"command-line-arguments", "command-line-arguments"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_buffer struct buffer name = BUFFER_INIT;

		program_name_of_import_path(cases[i][0], strlen(cases[i][0]), &name);
		assert_string_equal(buffer_str(&name), cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(argv0_is_found),
	    cmocka_unit_test(argv0_may_lie_beyond_the_first_read),
	    cmocka_unit_test(no_arguments_no_argv0),
	    cmocka_unit_test(a_file_that_is_cut_has_no_argv0),
	    cmocka_unit_test(a_damaged_file_does_no_harm),
	    cmocka_unit_test(counts_that_lie_end_with_the_bytes),
	    cmocka_unit_test(a_section_that_claims_too_much_is_not_read),
	    cmocka_unit_test(names_by_import_path),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
