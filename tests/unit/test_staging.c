/* Private directories: what they are, that they go away, and who else's are swept. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgi/directory/staging.h"
#include "scratch.h"

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void it_is_private_and_goes_away(void **state)
{
	struct staging staging;
	cleanup_free char *path = NULL;
	struct error err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(staging_open(&staging, &err), 0);
	assert_int_equal(stat(staging.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(fcntl(staging.fd, F_GETFD), FD_CLOEXEC);
	assert_true(staging.path[0] == '/' && !strchr(staging.path, ','));
	path = strdup(staging.path);
	staging_close(&staging);
	assert_false(exists(path));
	assert_null(staging.path);
	assert_int_equal(staging.fd, -1);
	staging_close(&staging);
}

static void each_has_its_own(void **state)
{
	struct staging one, two;
	struct error err = {0};

	(void)state;
	assert_int_equal(staging_open(&one, &err), 0);
	assert_int_equal(staging_open(&two, &err), 0);
	assert_string_not_equal(one.path, two.path);
	staging_close(&one);
	assert_true(exists(two.path));
	staging_close(&two);
}

/* Links to a file and to a directory outside, files, a directory: in it and in a subdirectory. */
static void fill(int fd)
{
	cleanup_fd int file = openat(fd, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(symlinkat(in_scratch("outside/file"), fd, "link"), 0);
	assert_int_equal(symlinkat(in_scratch("outside"), fd, "link to directory"), 0);
	assert_int_equal(symlinkat("/nonexistent", fd, "dangling"), 0);
	assert_int_equal(symlinkat("..", fd, "up"), 0);
}

static void removal_follows_no_link(void **state)
{
	struct staging staging;
	cleanup_free char *path = NULL;
	cleanup_fd int sub = -1;
	struct error err = {0};

	(void)state;
	assert_int_equal(mkdir(in_scratch("outside"), 0700), 0);
	write_file(in_scratch("outside/file"), "x", 1);
	assert_int_equal(staging_open(&staging, &err), 0);
	path = strdup(staging.path);
	sub = staging_subdir(&staging, "0", &err);
	assert_true(sub >= 0);
	assert_int_equal(fcntl(sub, F_GETFD), FD_CLOEXEC);
	fill(staging.fd);
	fill(sub);
	assert_int_equal(mkdirat(staging.fd, "1", 0), 0);
	staging_close(&staging);
	assert_false(exists(path));
	assert_true(exists(in_scratch("outside/file")));
}

static void subdirectory_can_be_removed_alone(void **state)
{
	struct staging staging;
	cleanup_fd int sub = -1;
	struct error err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(staging_open(&staging, &err), 0);
	sub = staging_subdir(&staging, "0", &err);
	assert_true(sub >= 0);
	fill(sub);
	fill(staging.fd);
	assert_int_equal(staging_subdir(&staging, "0", &err), -1);
	assert_non_null(strstr(err.message, staging.path));
	staging_remove_subdir(&staging, "1");
	staging_remove_subdir(&staging, "0");
	assert_int_equal(fstatat(staging.fd, "0", &st, 0), -1);
	assert_int_equal(fstatat(staging.fd, "file", &st, 0), 0);
	staging_close(&staging);
}

enum { MANY = 100000 };

static void many_links_are_removed(void **state)
{
	struct staging staging;
	cleanup_free char *path = NULL;
	cleanup_fd int sub = -1;
	struct error err = {0};
	char name[32];
	int i;

	(void)state;
	assert_int_equal(staging_open(&staging, &err), 0);
	path = strdup(staging.path);
	sub = staging_subdir(&staging, "0", &err);
	assert_true(sub >= 0);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert_int_equal(symlinkat("/nonexistent", sub, name), 0);
	}
	staging_close(&staging);
	assert_false(exists(path));
}

/* A process that makes one, tells its path, and waits for its end; the path goes to `path`. */
static pid_t start_owner(char *path, size_t room)
{
	int fds[2];
	pid_t pid;
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct staging staging;
		struct error err = {0};

		if (staging_open(&staging, &err) < 0 || staging_subdir(&staging, "0", &err) < 0 ||
		    io_write_full(fds[1], staging.path, strlen(staging.path)) < 0)
			_exit(1);
		close(fds[1]);
		for (;;)
			pause();
	}
	close(fds[1]);
	n = io_read_full(fds[0], path, room - 1);
	close(fds[0]);
	assert_true(n > 0);
	path[n] = '\0';
	return pid;
}

static void end_owner(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void killed_owners_are_swept_living_ones_not(void **state)
{
	char living[512], killed[512];
	pid_t one = start_owner(living, sizeof living), two = start_owner(killed, sizeof killed);

	(void)state;
	staging_sweep();
	assert_true(exists(living));
	assert_true(exists(killed));
	end_owner(two);
	staging_sweep();
	assert_true(exists(living));
	assert_false(exists(killed));
	end_owner(one);
	staging_sweep();
	assert_false(exists(living));
}

/* In the second directory that is swept, TMPDIR: names that are almost ours, and things that
 * are. */
static void only_staging_directories_are_swept(void **state)
{
	static const struct {
		const char *suffix;
		bool goes;
	} cases[] = {{"abcDEF", true},	 {"123456", true},  {"gocache", false}, {"abcde", false},
		     {"abcdefg", false}, {"abc-ef", false}, {"", false},	{"abc.ef", false},
		     {"file00", false},	 {"link00", false}, {"open00", false},	{"held00", false}};
	char name[64], paths[sizeof cases / sizeof *cases][512];
	cleanup_fd int held = -1;
	size_t i, n = sizeof cases / sizeof *cases;

	(void)state;
	assert_int_equal(mkdir(in_scratch("tmp"), 0700), 0);
	assert_int_equal(setenv("TMPDIR", in_scratch("tmp"), 1), 0);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "tmp/goverage-fcgi-%lu-%s", (unsigned long)geteuid(),
			 cases[i].suffix);
		snprintf(paths[i], sizeof paths[i], "%s", in_scratch(name));
		if (strcmp(cases[i].suffix, "file00") == 0)
			write_file(paths[i], "", 0);
		else if (strcmp(cases[i].suffix, "link00") == 0)
			assert_int_equal(symlink(scratch, paths[i]), 0);
		else
			assert_int_equal(mkdir(paths[i], 0700), 0);
		if (strcmp(cases[i].suffix, "open00") == 0)
			assert_int_equal(chmod(paths[i], 0755), 0);
		if (strcmp(cases[i].suffix, "held00") == 0)
			held = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	assert_int_equal(flock(held, LOCK_EX | LOCK_NB), 0);
	snprintf(name, sizeof name, "tmp/goverage-fcgi-%lu-abcDEF", geteuid() + 1UL);
	assert_int_equal(mkdir(in_scratch(name), 0700), 0);
	staging_sweep();
	for (i = 0; i < n; i++)
		assert_int_equal(exists(paths[i]), !cases[i].goes);
	assert_true(exists(in_scratch(name)));
	unsetenv("TMPDIR");
}

static void disk_base_is_absolute_and_has_no_comma(void **state)
{
	(void)state;
	unsetenv("TMPDIR");
	assert_string_equal(staging_disk_base(), "/tmp");
	setenv("TMPDIR", "relative", 1);
	assert_string_equal(staging_disk_base(), "/tmp");
	setenv("TMPDIR", "", 1);
	assert_string_equal(staging_disk_base(), "/tmp");
	setenv("TMPDIR", "/var/a,b", 1);
	assert_string_equal(staging_disk_base(), "/tmp");
	setenv("TMPDIR", "/var/tmp", 1);
	assert_string_equal(staging_disk_base(), "/var/tmp");
	unsetenv("TMPDIR");
}

static int without_descriptors(void)
{
	struct staging staging;
	struct error err = {0};

	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
	return staging_open(&staging, &err) != -1 || err.class != ERROR_UNAVAILABLE ||
	       !strstr(err.message, "/tmp2/goverage-fcgi-");
}

static bool has_staging(const char *base)
{
	cleanup_dir DIR *dir = opendir(base);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strstr(entry->d_name, "goverage-fcgi-"))
			return true;
	return false;
}

static void failure_leaves_nothing_behind(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(mkdir(in_scratch("tmp2"), 0700), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("TMPDIR", in_scratch("tmp2"), 1);
		_exit(without_descriptors());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(has_staging(in_scratch("tmp2")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_private_and_goes_away),
	    cmocka_unit_test(each_has_its_own),
	    cmocka_unit_test(removal_follows_no_link),
	    cmocka_unit_test(subdirectory_can_be_removed_alone),
	    cmocka_unit_test(many_links_are_removed),
	    cmocka_unit_test(killed_owners_are_swept_living_ones_not),
	    cmocka_unit_test(only_staging_directories_are_swept),
	    cmocka_unit_test(disk_base_is_absolute_and_has_no_comma),
	    cmocka_unit_test(failure_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
