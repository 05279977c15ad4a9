/* The value of GOCOVERDIR, and what stops the reading of its directories. */
#include "coverage_fixture.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void missing_directory_is_not_made(void **state)
{
	const char *path = in_scratch("missing");
	struct stat st;

	(void)state;
	expect_error(path, ERROR_UNAVAILABLE, path);
	expect_error(path, ERROR_UNAVAILABLE, "does not exist: no process has been started");
	assert_int_equal(stat(path, &st), -1);
}

static void what_is_no_directory_is_told(void **state)
{
	(void)state;
	write_file(in_scratch("plain"), "x", 1);
	expect_error(in_scratch("plain"), ERROR_INTERNAL, "is not a directory: set it");
	expect_error(in_scratch("plain/below"), ERROR_INTERNAL, "is not a directory: set it");
}

/* In a process that is nobody: root may read everything. */
static void unreadable_directory_is_told(void **state)
{
	static const mode_t modes[] = {0, 0100, 0400};
	size_t i;

	(void)state;
	make_dir("closed");
	make_dir("closed/in");
	assert_int_equal(chmod(scratch, 0755), 0);
	for (i = 0; i < sizeof modes / sizeof *modes; i++) {
		int status;
		pid_t pid;

		assert_int_equal(chmod(in_scratch("closed"), modes[i] >> 6), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct coverage_set set = COVERAGE_SET_INIT;
			struct error err;

			if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
				_exit(1);
			if (read_set(&set, in_scratch("closed"), &err) != -1 ||
			    err.class != ERROR_INTERNAL)
				_exit(2);
			_exit(strstr(err.message, "can't be read by uid") ? 0 : 3);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_int_equal(chmod(in_scratch("closed"), 0700), 0);
}

static void empty_elements_are_told(void **state)
{
	char text[256];

	(void)state;
	make_dir("one");
	expect_error("", ERROR_INTERNAL, "empty element");
	expect_error(",", ERROR_INTERNAL, "empty element");
	snprintf(text, sizeof text, "%s,", in_scratch("one"));
	expect_error(text, ERROR_INTERNAL, "empty element");
	snprintf(text, sizeof text, ",%s", in_scratch("one"));
	expect_error(text, ERROR_INTERNAL, "empty element");
	snprintf(text, sizeof text, "%s,,%s", in_scratch("one"), in_scratch("one"));
	expect_error(text, ERROR_INTERNAL, "empty element");
	/* nothing is trimmed */
	snprintf(text, sizeof text, "%s ", in_scratch("one"));
	expect_error(text, ERROR_UNAVAILABLE, "does not exist");
}

/* Go takes GOCOVERDIR whole, so a service may well have such a directory. */
static void a_name_may_have_a_comma(void **state)
{
	static const char *const made[] = {"with,comma", "with", "comma", "x,y,z", "x"};
	static const struct {
		const char *list, *first, *second;
	} cases[] = {
	    {"S/with,comma", "with,comma", NULL},
	    {"S/with,comma,S/x", "with,comma", "x"},
	    {"S/x,S/with,comma", "x", "with,comma"},
	    {"S/x,y,z,S/with,comma", "x,y,z", "with,comma"},
	    {"S/with,S/comma", "with", "comma"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof made / sizeof *made; i++)
		make_dir(made[i]);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
		cleanup_buffer struct buffer list = BUFFER_INIT;
		const char *at;
		struct error err;

		for (at = cases[i].list; *at; at++)
			buffer_printf(&list, *at == 'S' ? "%s" : "%.1s", *at == 'S' ? scratch : at);
		assert_int_equal(read_set(&set, buffer_str(&list), &err), 0);
		assert_int_equal(set.dirs.n, cases[i].second ? 2 : 1);
		assert_string_equal(set.dirs.items[0].text, in_scratch(cases[i].first));
		if (cases[i].second)
			assert_string_equal(set.dirs.items[1].text, in_scratch(cases[i].second));
	}
}

static void a_comma_is_hinted_at(void **state)
{
	char text[256];

	(void)state;
	make_dir("hint");
	expect_error(in_scratch("no,such"), ERROR_UNAVAILABLE, "split at its comma");
	snprintf(text, sizeof text, "%s,%s", in_scratch("hint"), in_scratch("hint-more"));
	expect_error(text, ERROR_UNAVAILABLE, "split at its comma");
	write_file(in_scratch("file"), "x", 1);
	expect_error(in_scratch("file,name"), ERROR_INTERNAL, "split at its comma");
}

static void too_many_directories_are_refused(void **state)
{
	cleanup_buffer struct buffer list = BUFFER_INIT;
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < 257; i++) {
		snprintf(name, sizeof name, "many%d", i);
		make_dir(name);
		buffer_printf(&list, "%s%s", i ? "," : "", in_scratch(name));
	}
	expect_error(buffer_str(&list), ERROR_INTERNAL, "more than 256 directories");
}

static void one_directory_counts_once(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;
	char text[512];

	(void)state;
	make_dir("once");
	write_meta("once/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	assert_int_equal(symlink(in_scratch("once"), in_scratch("same")), 0);
	snprintf(text, sizeof text, "%s,%s,%s", in_scratch("same"), in_scratch("once"),
		 in_scratch("once/."));
	assert_int_equal(read_set(&set, text, &err), 0);
	assert_int_equal(set.dirs.n, 1);
	assert_string_equal(set.dirs.items[0].text, in_scratch("once"));
	assert_int_equal(set.n_files, 1);
}

static void relative_paths_become_absolute(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("relative");
	assert_int_equal(chdir(in_scratch("relative")), 0);
	assert_int_equal(read_set(&set, "../relative", &err), 0);
	assert_int_equal(chdir("/"), 0);
	assert_string_equal(set.dirs.items[0].text, in_scratch("relative"));
	assert_int_equal(set.n_files, 0);
}

static void deadline_and_cancellation_end_it(void **state)
{
	cleanup_fd int cancel = eventfd(1, EFD_CLOEXEC);
	struct deadline passed = {0, -1}, cancelled = deadline_in_ms(60000, cancel);
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT, other = COVERAGE_SET_INIT;
	struct error err = {0};

	(void)state;
	make_dir("late");
	assert_int_equal(coverage_set_read(&set, in_scratch("late"), &passed, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	assert_non_null(strstr(err.message, "GOVERAGE_TIMEOUT"));
	assert_int_equal(coverage_set_read(&other, in_scratch("late"), &cancelled, &err), -1);
	assert_int_equal(err.class, ERROR_CANCELLED);
}

static void shortage_of_descriptors_is_no_bad_file(void **state)
{
	struct rlimit saved, none;
	struct error err;
	int room;

	(void)state;
	make_dir("short");
	write_meta("short/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = saved;
	for (room = 0; room < 200; room++) {
		cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
		int rc;

		none.rlim_cur = (rlim_t)room;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		rc = read_set(&set, in_scratch("short"), &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
		assert_int_equal(set.skipped, 0);
		if (rc == 0)
			break;
		assert_int_equal(err.class, ERROR_UNAVAILABLE);
	}
	assert_in_range(room, 3, 199);
}

static int open_descriptors(void)
{
	cleanup_dir DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static void nothing_is_left_open(void **state)
{
	int before = open_descriptors();
	char text[512];

	(void)state;
	make_dir("closing");
	write_meta("closing/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_file(in_scratch("closing/covmeta.bad"), "", 0);
	snprintf(text, sizeof text, "%s,/nonexistent", in_scratch("closing"));
	expect_error(text, ERROR_UNAVAILABLE, "/nonexistent");
	expect_error(in_scratch("closing/covmeta.bad"), ERROR_INTERNAL, "not a directory");
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(missing_directory_is_not_made),
	    cmocka_unit_test(what_is_no_directory_is_told),
	    cmocka_unit_test(unreadable_directory_is_told),
	    cmocka_unit_test(empty_elements_are_told),
	    cmocka_unit_test(a_name_may_have_a_comma),
	    cmocka_unit_test(a_comma_is_hinted_at),
	    cmocka_unit_test(too_many_directories_are_refused),
	    cmocka_unit_test(one_directory_counts_once),
	    cmocka_unit_test(relative_paths_become_absolute),
	    cmocka_unit_test(deadline_and_cancellation_end_it),
	    cmocka_unit_test(shortage_of_descriptors_is_no_bad_file),
	    cmocka_unit_test(nothing_is_left_open),
	};

	return cmocka_run_group_tests_name("coverage_dirs", tests, make_scratch, remove_scratch);
}
