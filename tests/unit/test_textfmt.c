/* Taking a profile over from a memory file, and filtering it by spans. */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/text/textfmt.h"
#include "made_filter.h"

static int memory_file(const char *text)
{
	int fd = memfd_create("profile", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	return fd;
}

/* The profile after one skip and one cover pattern (NULL = none); an error as its message. */
static const char *filtered(const char *text, const char *skip, const char *cover)
{
	static char out[1024];
	cleanup_path_filter struct path_filter *filter = make_filter(skip, cover);
	cleanup_textfmt struct textfmt profile = TEXTFMT_INIT;
	cleanup_profile_text struct profile_text *whole = NULL;
	cleanup_fd int fd = memory_file(text);
	struct error err = {0};
	size_t used = 0, i;

	whole = profile_text_of_file(fd, &err);
	if (!whole || textfmt_take(&profile, whole, &err) < 0 ||
	    textfmt_filter(&profile, filter, &err) < 0) {
		assert_int_equal(err.class, ERROR_INTERNAL);
		strcpy(out, err.message);
		return out;
	}
	for (i = 0; i < profile.n_spans; i++) {
		memcpy(out + used, profile.spans[i].bytes, profile.spans[i].len);
		used += profile.spans[i].len;
	}
	assert_int_equal(used, profile.total);
	out[used] = '\0';
	return out;
}

static const char text[] = "mode: set\n"
			   "ex.org/a/a.go:1.2,3.4 1 1\n"
			   "ex.org/a/a.go:5.2,6.4 1 0\n"
			   "ex.org/a/b.go:1.2,3.4 1 1\n"
			   "c:/odd.go:1.2,3.4 1 1\n"
			   "c:/odder.go:1.2,3.4 1 1\n"
			   "z.go:1.2,3.4 1 1\n";

static void without_patterns_all_stays(void **state)
{
	(void)state;
	assert_string_equal(filtered(text, NULL, NULL), text);
	assert_string_equal(filtered("", "a", NULL), "");
	assert_string_equal(filtered("mode: count\n", "a", NULL), "mode: count\n");
}

static void patterns_choose_files(void **state)
{
	(void)state;
	assert_string_equal(filtered(text, "a/a\\.go$", NULL), "mode: set\n"
							       "ex.org/a/b.go:1.2,3.4 1 1\n"
							       "c:/odd.go:1.2,3.4 1 1\n"
							       "c:/odder.go:1.2,3.4 1 1\n"
							       "z.go:1.2,3.4 1 1\n");
	assert_string_equal(filtered(text, "odder", "^c:"), "mode: set\nc:/odd.go:1.2,3.4 1 1\n");
	assert_string_equal(filtered(text, ".", NULL), "mode: set\n");
	assert_string_equal(filtered(text, NULL, "nothing"), "mode: set\n");
	/* positions and counts are no part of the path */
	assert_string_equal(filtered(text, "1\\.2", NULL), text);
}

static void what_is_no_profile_is_refused(void **state)
{
	(void)state;
	assert_non_null(strstr(filtered("modus: set\n", NULL, NULL), "no whole textfmt profile"));
	assert_non_null(
	    strstr(filtered("mode: set\na.go:1.2,3.4 1", NULL, NULL), "no whole textfmt profile"));
	assert_non_null(strstr(filtered("mode: set\nno colon\n", "a", NULL), "\"no colon\""));
	assert_non_null(strstr(filtered("mode: set\n\n", "a", NULL), "no textfmt"));
}

static int start(void **state)
{
	struct error err;

	(void)state;
	return path_filter_start(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_patterns_all_stays),
	    cmocka_unit_test(patterns_choose_files),
	    cmocka_unit_test(what_is_no_profile_is_refused),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
