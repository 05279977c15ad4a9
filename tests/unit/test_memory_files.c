/* Coverage files that lie in memory. */
#include "scratch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cgi/directory/memory_files.h"
#include "cgi/directory/source_file.h"

#define TAG "00112233445566778899aabbccddeeff"
#define META "covmeta." TAG
#define FIRST "covcounters." TAG ".12.5"
#define SECOND "covcounters." TAG ".7.5"

static int add(struct memory_files *files, const char *name, const char *text)
{
	cleanup_buffer struct buffer content = BUFFER_INIT;

	buffer_puts(&content, text);
	return memory_files_add(files, name, &content);
}

static void make_three(struct memory_files *files)
{
	assert_int_equal(add(files, SECOND, "two"), 1);
	assert_int_equal(add(files, META, "meta"), 1);
	assert_int_equal(add(files, FIRST, "first"), 1);
}

static void names_are_in_order(void **state)
{
	static const char *const names[] = {FIRST, SECOND, META};
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;
	size_t i;

	(void)state;
	make_three(&files);
	assert_int_equal(files.n, 3);
	assert_int_equal(files.bytes, 12);
	for (i = 0; i < 3; i++) {
		assert_string_equal(files.list[i]->file.name, names[i]);
		assert_ptr_equal(memory_files_find(&files, names[i]), files.list[i]);
	}
	assert_int_equal(files.list[0]->file.kind, COVERAGE_COUNTERS);
	assert_int_equal(files.list[0]->file.pid, 12);
	assert_int_equal(files.list[0]->file.time_ns, 5);
	assert_int_equal(files.list[0]->file.size, 5);
	assert_int_equal(files.list[2]->file.kind, COVERAGE_META);
}

static void a_name_is_taken_once(void **state)
{
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;

	(void)state;
	make_three(&files);
	assert_int_equal(add(&files, FIRST, "other"), 0);
	assert_int_equal(files.n, 3);
	assert_memory_equal(memory_files_find(&files, FIRST)->data, "first", 5);
	memory_files_remove(&files, FIRST);
	memory_files_remove(&files, FIRST);
	assert_null(memory_files_find(&files, FIRST));
	assert_int_equal(files.n, 2);
	assert_int_equal(files.bytes, 7);
	assert_int_equal(add(&files, FIRST, "other"), 1);
	assert_memory_equal(memory_files_find(&files, FIRST)->data, "other", 5);
}

static void what_can_not_be_added(void **state)
{
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;
	cleanup_buffer struct buffer failed = {.failed = true};

	(void)state;
	assert_int_equal(memory_files_add(&files, FIRST, &failed), -1);
	assert_int_equal(add(&files, "tmp.covmeta." TAG "123", "no coverage file"), -1);
	assert_int_equal(files.n, 0);
}

/* Enough of them for the list to grow a few times. */
static void there_may_be_many(void **state)
{
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;
	char name[100];
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "covcounters." TAG ".%u.1", i * 37 % 1000);
		assert_int_equal(add(&files, name, name), 1);
	}
	for (i = 1; i < 1000; i++)
		assert_true(strcmp(files.list[i - 1]->file.name, files.list[i]->file.name) < 0);
}

static void a_user_outlives_the_list(void **state)
{
	struct memory_files files = MEMORY_FILES_INIT;
	struct file_bytes bytes = FILE_BYTES_INIT;

	(void)state;
	make_three(&files);
	file_bytes_share(&bytes, memory_files_find(&files, FIRST));
	memory_files_free(&files);
	assert_int_equal(bytes.len, 5);
	assert_int_equal(file_bytes_memory(&bytes), 5);
	file_bytes_trim(&bytes);
	assert_memory_equal(bytes.data, "first", 5);
	file_bytes_free(&bytes);
}

/* The same bytes serve one file after the other, in memory or not. */
static void shared_bytes_are_used_again(void **state)
{
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;
	cleanup_file_bytes struct file_bytes bytes = FILE_BYTES_INIT;
	cleanup_fd int dir = -1;
	struct error err = {0};
	bool gone;

	(void)state;
	make_three(&files);
	write_file(in_scratch("on-disk"), "disk", 4);
	dir = open(in_scratch("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file_bytes_share(&bytes, memory_files_find(&files, FIRST));
	assert_int_equal(source_file_read(dir, "on-disk", &bytes, &gone, &err), 0);
	assert_int_equal(bytes.len, 4);
	assert_memory_equal(bytes.data, "disk", 4);
	file_bytes_share(&bytes, memory_files_find(&files, META));
	assert_memory_equal(bytes.data, "meta", 4);
	assert_memory_equal(memory_files_find(&files, FIRST)->data, "first", 5);
}

static void expect_content(int fd, const char *text)
{
	char room[16];

	assert_int_equal(read(fd, room, sizeof room), strlen(text));
	assert_memory_equal(room, text, strlen(text));
}

static void stored_and_opened(void **state)
{
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;
	cleanup_fd int dir = -1, stored = -1, opened = -1;
	struct error err = {0};

	(void)state;
	make_three(&files);
	assert_int_equal(mkdir(in_scratch("stored"), 0700), 0);
	dir = open(in_scratch("stored"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(memory_files_store(&files, dir, &err), 0);
	stored = openat(dir, SECOND, O_RDONLY | O_CLOEXEC);
	assert_true(stored >= 0);
	expect_content(stored, "two");
	opened = memory_file_open(memory_files_find(&files, META), &err);
	assert_true(opened >= 0);
	expect_content(opened, "meta");
	assert_int_equal(memory_files_store(&files, dir, &err), -1);
	assert_non_null(strstr(err.message, FIRST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_in_order),
	    cmocka_unit_test(a_name_is_taken_once),
	    cmocka_unit_test(what_can_not_be_added),
	    cmocka_unit_test(there_may_be_many),
	    cmocka_unit_test(a_user_outlives_the_list),
	    cmocka_unit_test(shared_bytes_are_used_again),
	    cmocka_unit_test(stored_and_opened),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
