/* Looking into one file: every way in which it can be bad, and whose it is. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/directory/coverage_screen.h"
#include "made_coverage.h"

static const char *const packages[] = {"example.com/lib", "example.com/lib/sub", "example.com/prog",
				       NULL};

static int as_file(const struct buffer *b, size_t len)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, buffer_str(b), len), 0);
	return fd;
}

static const char *screen_meta(const struct buffer *b, size_t len)
{
	cleanup_fd int fd = as_file(b, len);
	uint8_t mode, granularity;

	return coverage_screen_meta(fd, len, &mode, &granularity);
}

static const char *screen_counters(const struct buffer *b, size_t len)
{
	cleanup_fd int fd = as_file(b, len);

	return coverage_screen_counters(fd, len);
}

static void good_files_pass(void **state)
{
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	uint8_t mode, granularity;
	cleanup_fd int fd = -1;

	(void)state;
	make_meta(&meta, packages, COUNTER_MODE_ATOMIC);
	make_counters(&counters, 3);
	fd = as_file(&meta, meta.len);
	assert_null(coverage_screen_meta(fd, meta.len, &mode, &granularity));
	assert_int_equal(mode, COUNTER_MODE_ATOMIC);
	assert_int_equal(granularity, GRANULARITY_PERBLOCK);
	assert_null(screen_counters(&counters, counters.len));
}

static void every_truncation_is_seen(void **state)
{
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	size_t len;

	(void)state;
	make_meta(&meta, packages, COUNTER_MODE_SET);
	make_counters(&counters, 3);
	assert_string_equal(screen_meta(&meta, 0), "is empty");
	assert_string_equal(screen_counters(&counters, 0), "is empty");
	for (len = 1; len < meta.len; len++)
		assert_string_equal(screen_meta(&meta, len), "is truncated");
	for (len = 1; len < counters.len; len++)
		assert_string_equal(screen_counters(&counters, len), "is truncated");
}

/* Holes that a crashed machine leaves: the size is right, the rest of the bytes are zero. */
static void every_hole_is_seen(void **state)
{
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	size_t last_blob, at;

	(void)state;
	make_meta(&meta, packages, COUNTER_MODE_SET);
	make_counters(&counters, 3);
	last_blob = (size_t)le64(meta.data + COVMETA_HEADER_SIZE + 2 * 8);
	for (at = meta.len; at-- > 0;) {
		meta.data[at] = '\0';
		/* behind the header of the last package only covdata can tell */
		if (at <= last_blob)
			assert_non_null(screen_meta(&meta, meta.len));
	}
	for (at = counters.len; at-- > 0;) {
		counters.data[at] = '\0';
		if (at < counters.len - 8)
			assert_non_null(screen_counters(&counters, counters.len));
	}
}

struct damage {
	size_t at;
	uint64_t value;
	int bytes;
	const char *fault; /* NULL = none */
};

static void damage(struct buffer *b, const struct damage *d)
{
	int i;

	for (i = 0; i < d->bytes; i++)
		b->data[d->at + (size_t)i] = (char)(d->value >> 8 * i & 0xff);
}

static void check_fault(const char *fault, const char *expected, size_t number)
{
	if (!!fault != !!expected || (fault && strcmp(fault, expected) != 0))
		fail_msg("damage %zu: %s, expected %s", number, fault ? fault : "none",
			 expected ? expected : "none");
}

static void damaged_meta(void **state)
{
	enum { TABLE = COVMETA_HEADER_SIZE, BLOB = TABLE + 3 * 16 + 2 };
	static const struct damage cases[] = {
	    {0, 0x6d777600, 4, "is no meta-data file"},
	    {3, 'x', 1, "is no meta-data file"},
	    {COVMETA_AT_VERSION, 0, 4, NULL},
	    {COVMETA_AT_VERSION, 2, 4, NULL}, /* covdata may know it */
	    {COVMETA_AT_LENGTH, 1 << 20, 8, "is truncated"},
	    {COVMETA_AT_LENGTH, UINT64_MAX, 8, "is truncated"},
	    {COVMETA_AT_LENGTH, 1, 8, NULL},
	    {COVMETA_AT_PACKAGES, 4, 8, "has a damaged package"},
	    {COVMETA_AT_PACKAGES, 1000, 8, "has damaged package tables"},
	    {COVMETA_AT_PACKAGES, 1ULL << 60, 8, "has damaged package tables"},
	    {COVMETA_AT_PACKAGES, UINT64_MAX, 8, "has damaged package tables"},
	    {COVMETA_AT_STRINGS_LENGTH, 100000, 4, "has damaged package tables"},
	    {COVMETA_AT_STRINGS_LENGTH, UINT32_MAX, 4, "has damaged package tables"},
	    {COVMETA_AT_MODE, 0, 1, "has no counter mode"},
	    {COVMETA_AT_MODE, COUNTER_MODE_REGONLY, 1, "has no counter mode"},
	    {COVMETA_AT_MODE, 255, 1, "has no counter mode"},
	    {COVMETA_AT_GRANULARITY, 2, 1, NULL},
	    {COVMETA_AT_HASH, 77, 8, NULL},
	    {TABLE, 100000, 8, "has damaged package tables"},
	    {TABLE + 16, UINT64_MAX, 8, "has damaged package tables"},
	    {TABLE + 8, UINT64_MAX - 43, 8, "has damaged package tables"},
	    {TABLE + 24, 100000, 8, "has damaged package tables"},
	    {TABLE + 24, UINT64_MAX, 8, "has damaged package tables"},
	    {TABLE + 32, 43, 8, "has damaged package tables"},
	    {TABLE + 40, 0, 8, "has damaged package tables"},
	    {BLOB, 43, 4, "has a damaged package"},
	    {BLOB + COVBLOB_AT_FUNCTIONS, UINT32_MAX, 4, "has a damaged package"},
	    {BLOB + COVBLOB_AT_FUNCTIONS, 1000, 4, "has a damaged package"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_buffer struct buffer meta = BUFFER_INIT;

		make_meta(&meta, packages, COUNTER_MODE_SET);
		damage(&meta, &cases[i]);
		check_fault(screen_meta(&meta, meta.len), cases[i].fault, i);
	}
}

static void damaged_counters(void **state)
{
	enum { SEGMENT = COVCOUNTERS_HEADER_SIZE, FOOTER = SEGMENT + 16 + 4 + 4 };
	static const struct damage cases[] = {
	    {0, 0x6d766300, 4, "is no counter data file"},
	    {COVCOUNTERS_AT_VERSION, 0, 4, NULL},
	    {COVCOUNTERS_AT_VERSION, 7, 4, NULL},
	    {COVCOUNTERS_AT_HASH, 1, 8, NULL},
	    {COVCOUNTERS_AT_FLAVOR, COUNTER_RAW, 1, NULL},
	    {COVCOUNTERS_AT_FLAVOR, 0, 1, "has an unknown flavor of counters"},
	    {COVCOUNTERS_AT_FLAVOR, 3, 1, "has an unknown flavor of counters"},
	    {SEGMENT + 8, 3, 4, NULL},
	    {SEGMENT + 8, 100, 4, "has damaged string or argument tables"},
	    {SEGMENT + 8, UINT32_MAX, 4, "has damaged string or argument tables"},
	    {SEGMENT + 8, UINT64_MAX, 8, "has damaged string or argument tables"},
	    {SEGMENT + 12, UINT32_MAX, 4, "has damaged string or argument tables"},
	    {FOOTER, 0, 4, "is truncated"},
	    {FOOTER + COVCOUNTERS_FOOTER_AT_SEGMENTS, 0, 4, "has no segment"},
	    {FOOTER + COVCOUNTERS_FOOTER_AT_SEGMENTS, 9, 4, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_buffer struct buffer counters = BUFFER_INIT;

		make_counters(&counters, 1);
		damage(&counters, &cases[i]);
		check_fault(screen_counters(&counters, counters.len), cases[i].fault, i);
	}
}

static void shrinking_files_do_no_harm(void **state)
{
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	cleanup_fd int empty = memfd_create("empty", MFD_CLOEXEC);
	uint8_t mode, granularity;
	char name[16];

	(void)state;
	make_meta(&meta, packages, COUNTER_MODE_SET);
	assert_string_equal(coverage_screen_meta(empty, meta.len, &mode, &granularity),
			    "is truncated");
	assert_string_equal(coverage_screen_counters(empty, 1000), "is truncated");
	assert_string_equal(coverage_screen_meta(-1, meta.len, &mode, &granularity),
			    "can't be read");
	assert_string_equal(coverage_screen_counters(-1, 1000), "can't be read");
	assert_false(coverage_program(empty, meta.len, name, sizeof name));
}

static void many_packages_are_read(void **state)
{
	enum { MANY = 300 };
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	const char *many[MANY + 1];
	cleanup_fd int fd = -1;
	char name[64];
	size_t i;

	(void)state;
	for (i = 0; i < MANY; i++)
		many[i] = i == MANY - 1 ? "example.com/the/main" : "example.com/some/package";
	many[MANY] = NULL;
	make_meta(&meta, many, COUNTER_MODE_SET);
	assert_null(screen_meta(&meta, meta.len));
	fd = as_file(&meta, meta.len);
	assert_true(coverage_program(fd, meta.len, name, sizeof name));
	assert_string_equal(name, "example.com/the/main");
	/* the 200th package begins beyond the end */
	damage(&meta, &(struct damage){COVMETA_HEADER_SIZE + 199 * 8, 1 << 30, 8, NULL});
	assert_string_equal(screen_meta(&meta, meta.len), "has damaged package tables");
}

static void program_is_the_last_package(void **state)
{
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	cleanup_fd int fd = -1;
	char name[64], small[8], none[1];

	(void)state;
	make_meta(&meta, packages, COUNTER_MODE_SET);
	fd = as_file(&meta, meta.len);
	assert_true(coverage_program(fd, meta.len, name, sizeof name));
	assert_string_equal(name, "example.com/prog");
	assert_true(coverage_program(fd, meta.len, small, sizeof small));
	assert_string_equal(small, "example");
	assert_false(coverage_program(fd, meta.len, none, sizeof none));
}

/* Each byte of the last package with each of some values: bounds hold whatever stands there. */
static void program_of_damaged_packages(void **state)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	size_t at, i;

	(void)state;
	make_meta(&meta, packages, COUNTER_MODE_SET);
	for (at = 0; at < meta.len; at++) {
		char saved = meta.data[at];

		for (i = 0; i < sizeof values; i++) {
			cleanup_fd int fd = -1;
			char name[32];

			meta.data[at] = (char)values[i];
			fd = as_file(&meta, meta.len);
			if (coverage_program(fd, meta.len, name, sizeof name))
				assert_in_range(strlen(name), 0, sizeof name - 1);
		}
		meta.data[at] = saved;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_files_pass),
	    cmocka_unit_test(every_truncation_is_seen),
	    cmocka_unit_test(every_hole_is_seen),
	    cmocka_unit_test(damaged_meta),
	    cmocka_unit_test(damaged_counters),
	    cmocka_unit_test(shrinking_files_do_no_harm),
	    cmocka_unit_test(many_packages_are_read),
	    cmocka_unit_test(program_is_the_last_package),
	    cmocka_unit_test(program_of_damaged_packages),
	};

	return cmocka_run_group_tests_name("coverage_screen", tests, NULL, NULL);
}
