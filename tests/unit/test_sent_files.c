/* Texts as files for a web server: when there is one, what is in it, and when it goes. */
#include "scratch.h"

#include <libgen.h>
#include <sys/stat.h>

#include "cgi/base/io.h"
#include "cgi/sent_files.h"

enum { MINUTE = 60000, SIZE = SENT_FILES_LEAST + 1, BUDGET = 100 * SIZE };

static struct profile_text *make_text(char fill, size_t len)
{
	struct error err = {0};
	struct profile_text *text = profile_text_new(len, &err);

	assert_non_null(text);
	memset(text->bytes, fill, len);
	text->len = len;
	return text;
}

static void expect_content(const char *path, const struct profile_text *text)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *got = malloc(text->len + 1);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(io_read_full(fd, got, text->len + 1), text->len);
	assert_memory_equal(got, text->bytes, text->len);
}

static void one_file_for_one_text(void **state)
{
	cleanup_profile_text struct profile_text *a = make_text('a', SIZE),
						 *b = make_text('b', SIZE);
	struct sent_files *files = sent_files_new(BUDGET);
	char first[SENT_FILES_PATH], again[SENT_FILES_PATH], other[SENT_FILES_PATH];

	(void)state;
	assert_true(sent_files_path(files, "a", a, 1, first));
	expect_content(first, a);
	assert_true(sent_files_path(files, "a", a, 2, again));
	assert_string_equal(first, again);
	assert_true(sent_files_path(files, "b", b, 3, other));
	expect_content(other, b);
	expect_content(first, a);
	sent_files_free(files);
	assert_int_equal(access(first, F_OK), -1);
	assert_int_equal(access(other, F_OK), -1);
}

static void no_file_where_it_does_not_pay(void **state)
{
	cleanup_profile_text struct profile_text *small = make_text('a', SENT_FILES_LEAST - 1),
						 *large = make_text('b', SIZE);
	struct sent_files *off = sent_files_new(0), *little = sent_files_new(SIZE - 1),
			  *files = sent_files_new(BUDGET);
	char path[SENT_FILES_PATH];

	(void)state;
	assert_false(sent_files_path(off, "b", large, 1, path));
	assert_false(sent_files_path(little, "b", large, 1, path));
	assert_false(sent_files_path(files, "a", small, 1, path));
	assert_false(sent_files_path(files, "", large, 1, path)); /* a text that has no name */
	sent_files_free(off);
	sent_files_free(little);
	sent_files_free(files);
}

/* The web server may open it a moment later. */
static void a_name_that_was_given_away_leads_to_its_file(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	cleanup_profile_text struct profile_text *text = make_text('t', SIZE);
	struct sent_files *files = sent_files_new(BUDGET);
	char paths[4][SENT_FILES_PATH], path[SENT_FILES_PATH];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_true(sent_files_path(files, names[i], text, MINUTE + i, paths[i]));
	assert_false(sent_files_path(files, "e", text, MINUTE + SENT_FILES_STAY_MS - 1, path));
	for (i = 0; i < 4; i++)
		expect_content(paths[i], text);
	/* "a" was asked for since: "b" goes first */
	assert_true(sent_files_path(files, "a", text, MINUTE + SENT_FILES_STAY_MS, path));
	assert_true(sent_files_path(files, "e", text, MINUTE + SENT_FILES_STAY_MS + 1, path));
	expect_content(paths[0], text);
	assert_int_equal(access(paths[1], F_OK), -1);
	expect_content(path, text);
	sent_files_free(files);
}

static void files_have_a_bound(void **state)
{
	cleanup_profile_text struct profile_text *text = make_text('t', SIZE);
	struct sent_files *files = sent_files_new(2 * SIZE);
	char path[SENT_FILES_PATH];

	(void)state;
	assert_true(sent_files_path(files, "a", text, 1, path));
	assert_true(sent_files_path(files, "b", text, 2, path));
	assert_false(sent_files_path(files, "c", text, 3, path));
	assert_true(sent_files_path(files, "c", text, MINUTE, path));
	sent_files_free(files);
}

/* By somebody who tidies up. */
static void a_file_that_was_removed_is_made_again(void **state)
{
	cleanup_profile_text struct profile_text *text = make_text('t', SIZE);
	struct sent_files *files = sent_files_new(BUDGET);
	char path[SENT_FILES_PATH];

	(void)state;
	assert_true(sent_files_path(files, "a", text, 1, path));
	assert_int_equal(unlink(path), 0);
	assert_true(sent_files_path(files, "a", text, 2, path));
	expect_content(path, text);
	assert_int_equal(truncate(path, 1), 0);
	assert_true(sent_files_path(files, "a", text, 3, path));
	expect_content(path, text);
	remove_tree(dirname(path));
	assert_false(sent_files_path(files, "a", text, 4, path));
	sent_files_free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_file_for_one_text),
	    cmocka_unit_test(no_file_where_it_does_not_pay),
	    cmocka_unit_test(a_name_that_was_given_away_leads_to_its_file),
	    cmocka_unit_test(files_have_a_bound),
	    cmocka_unit_test(a_file_that_was_removed_is_made_again),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
