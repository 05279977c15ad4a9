/* What a watch on directories tells, and that it never tells of quiet where there was none. */
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>

#include "cgi/directory/directory_watch.h"

enum { MAX_DIRS = 2 };

struct scene {
	struct directory_watch watch;
	char paths[MAX_DIRS][128];
	int fds[MAX_DIRS];
};

/* In memory, which every machine can watch; what the tests' scratch lies on, nobody knows. */
static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	size_t i;

	scene->watch = DIRECTORY_WATCH_INIT;
	for (i = 0; i < MAX_DIRS; i++) {
		snprintf(scene->paths[i], sizeof scene->paths[i], "/dev/shm/goverage-test-XXXXXX");
		assert_non_null(mkdtemp(scene->paths[i]));
		scene->fds[i] = open(scene->paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(scene->fds[i] >= 0);
	}
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	size_t i;

	directory_watch_stop(&scene->watch);
	for (i = 0; i < MAX_DIRS; i++) {
		close(scene->fds[i]);
		remove_tree(scene->paths[i]);
	}
	free(scene);
	return 0;
}

static const char *in_dir(const struct scene *scene, size_t dir, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", scene->paths[dir], name);
	return path;
}

/* Is it certain that nothing had happened to the file between the last two questions? */
static bool is_quiet(const struct directory_watch *watch, size_t dir, const char *name)
{
	ssize_t n = directory_watch_count_changed(watch), i;

	for (i = 0; i < n; i++) {
		size_t its_dir;
		const char *changed = directory_watch_changed(watch, (size_t)i, &its_dir);

		if (its_dir == dir && strcmp(changed, name) == 0)
			return false;
	}
	return n >= 0;
}

/* Is it certain that nothing has happened to any of the files that the tests use? */
static bool quiet(struct scene *scene, size_t n)
{
	size_t dir;

	directory_watch_ask(&scene->watch, scene->fds, n);
	for (dir = 0; dir < n; dir++)
		if (!is_quiet(&scene->watch, dir, "a") || !is_quiet(&scene->watch, dir, "b"))
			return false;
	return true;
}

/* What has just been done is told once. */
static void expect_told(struct scene *scene)
{
	assert_false(quiet(scene, MAX_DIRS));
	assert_true(quiet(scene, MAX_DIRS));
}

static void every_change(void **state)
{
	struct scene *scene = *state;
	const char *a = in_dir(scene, 0, "a"), *b = in_dir(scene, 1, "b");
	cleanup_fd int fd = -1;

	expect_told(scene); /* the start of the watch */
	write_file(b, "one", 3);
	expect_told(scene);
	write_file(b, "two", 3); /* in place, of the same size */
	expect_told(scene);
	assert_int_equal(rename(b, a), 0); /* from one watched directory to the other */
	expect_told(scene);
	assert_int_equal(chmod(a, 0600), 0);
	expect_told(scene);
	assert_int_equal(truncate(a, 0), 0);
	expect_told(scene);
	fd = open(a, O_WRONLY | O_CLOEXEC);
	assert_true(quiet(scene, MAX_DIRS));
	assert_int_equal(write(fd, "x", 1), 1); /* by somebody who had it open before */
	expect_told(scene);
	assert_int_equal(unlink(a), 0);
	expect_told(scene);
}

static void other_files_and_directories_stay_quiet(void **state)
{
	struct scene *scene = *state;
	const struct directory_watch *watch = &scene->watch;

	expect_told(scene);
	write_file(in_dir(scene, 1, "tmp"), "one", 3);
	assert_int_equal(rename(in_dir(scene, 1, "tmp"), in_dir(scene, 1, "b")), 0);
	directory_watch_ask(&scene->watch, scene->fds, MAX_DIRS);
	assert_true(is_quiet(watch, 0, "b"));
	assert_false(is_quiet(watch, 1, "b"));
	assert_false(is_quiet(watch, 1, "tmp"));
	assert_true(is_quiet(watch, 1, "a"));
	assert_true(is_quiet(watch, 1, "bb"));
	assert_true(quiet(scene, MAX_DIRS));
	/* the directory itself: everything in it may be another thing now */
	assert_int_equal(chmod(scene->paths[0], 0500), 0);
	directory_watch_ask(&scene->watch, scene->fds, MAX_DIRS);
	assert_false(is_quiet(watch, 0, "a"));
	assert_false(is_quiet(watch, 1, "a"));
	assert_int_equal(chmod(scene->paths[0], 0700), 0);
	expect_told(scene);
}

/* Some are more than are told one by one, many more than the kernel's queue holds. */
static void more_files_than_are_told(void **state)
{
	struct scene *scene = *state;
	char name[16];
	int i;

	expect_told(scene);
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "few%d", i);
		write_file(in_dir(scene, 0, name), "", 0);
	}
	assert_true(quiet(scene, MAX_DIRS));
	for (i = 0; i < 70; i++) {
		snprintf(name, sizeof name, "some%d", i);
		write_file(in_dir(scene, 0, name), "", 0);
	}
	expect_told(scene);
	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "file%d", i);
		write_file(in_dir(scene, 0, name), "", 0);
	}
	expect_told(scene);
}

static void other_directories(void **state)
{
	struct scene *scene = *state;

	assert_false(quiet(scene, 1));
	assert_true(quiet(scene, 1));
	assert_false(quiet(scene, 2)); /* one more than before */
	assert_true(quiet(scene, 2));
	close(scene->fds[1]);
	scene->fds[1] = open(scene->paths[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_false(quiet(scene, 2)); /* another one in the second place */
}

/* It may get the number of the one that was removed. */
static void directory_that_was_made_again(void **state)
{
	struct scene *scene = *state;
	int i;

	for (i = 0; i < 20; i++) {
		expect_told(scene);
		close(scene->fds[1]);
		assert_int_equal(rmdir(scene->paths[1]), 0);
		assert_int_equal(mkdir(scene->paths[1], 0700), 0);
		scene->fds[1] = open(scene->paths[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
		expect_told(scene);
		write_file(in_dir(scene, 1, "a"), "a", 1);
		expect_told(scene);
		assert_int_equal(unlink(in_dir(scene, 1, "a")), 0);
	}
}

static void what_can_not_be_watched(void **state)
{
	cleanup_fd int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct scene *scene = *state;
	const int fds[2] = {scene->fds[0], proc};

	assert_true(proc >= 0);
	directory_watch_ask(&scene->watch, fds, 2);
	assert_false(is_quiet(&scene->watch, 0, "a"));
	directory_watch_ask(&scene->watch, fds, 2);
	assert_false(is_quiet(&scene->watch, 0, "a"));
	assert_int_equal(scene->watch.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_change, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(other_files_and_directories_stay_quiet, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(more_files_than_are_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(other_directories, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(directory_that_was_made_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_can_not_be_watched, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
