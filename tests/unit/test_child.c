/* Running programs: what they are given, and how their ends are told. */
#include "child_fixture.h"

#include <signal.h>
#include <stdlib.h>

static void output_and_stderr_are_kept(void **state)
{
	cleanup_run struct run run;

	(void)state;
	run_script(&run, "printf 'to one'; printf 'to two' >&2");
	assert_int_equal(run.rc, 0);
	assert_int_equal(run.result.wait_status, 0);
	assert_string_equal(run.out, "to one");
	assert_string_equal(buffer_str(&run.result.said), "to two");
	assert_no_children();
}

static void arguments_meet_no_shell(void **state)
{
	const char *const argv[] = {"/bin/echo", "-n", "a  b", "$HOME;*`'\"", "", "\n", NULL};
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	cleanup_with(child_result_free) struct child_result result = {0};
	struct child child = {argv, no_environment, out, false};
	struct error err = {0};
	char text[64] = "";

	(void)state;
	assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
	assert_true(io_pread_full(out, text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "a  b $HOME;*`'\"  \n");
}

static void environment_is_the_given_one(void **state)
{
	const char *const argv[] = {"/usr/bin/env", NULL};
	const char *const envp[] = {"A=1", "B=x y", NULL};
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	cleanup_with(child_result_free) struct child_result result = {0};
	struct child child = {argv, envp, out, false};
	struct error err = {0};
	char text[256] = "";

	(void)state;
	assert_int_equal(setenv("HTTP_PROXY", "http://127.0.0.1", 1), 0);
	assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
	assert_true(io_pread_full(out, text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "A=1\nB=x y\n");
	unsetenv("HTTP_PROXY");
}

static void descriptors_are_the_three(void **state)
{
	const char *const argv[] = {"/bin/ls", "/proc/self/fd", NULL};
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	cleanup_with(child_result_free) struct child_result result = {0};
	struct child child = {argv, no_environment, out, false};
	struct error err = {0};
	char text[64] = "";

	(void)state;
	assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
	assert_true(io_pread_full(out, text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "0\n1\n2\n3\n"); /* 3 is the directory that ls reads */
}

static void null_device_stands_in(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c",
				    "t=$(readlink /proc/$$/fd/0 /proc/$$/fd/1); echo $t >&2", NULL};
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);
	cleanup_with(child_result_free) struct child_result result = {0};
	struct child child = {argv, no_environment, -1, false};
	struct error err = {0};

	(void)state;
	assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
	assert_string_equal(buffer_str(&result.said), "/dev/null /dev/null\n");
}

static int run_without_stdio(void)
{
	cleanup_run struct run run;

	close(0);
	close(1);
	close(2);
	run_script(&run, "readlink /proc/$$/fd/0; printf one; printf two >&2");
	return run.rc != 0 || strcmp(run.out, "/dev/null\none") != 0 ||
	       strcmp(buffer_str(&run.result.said), "two") != 0;
}

static void closed_stdio_of_ours_does_no_harm(void **state)
{
	(void)state;
	in_a_fork(run_without_stdio);
}

static int run_with_odd_signals(void)
{
	/* 32 and 33 belong to the C library's threads: glibc hands them down ignored */
	const unsigned long long of_libc = 3ULL << 31;
	unsigned long long blocked, ignored;
	cleanup_run struct run run;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	run_script(&run, "grep -E '^Sig(Blk|Ign)' /proc/self/status");
	if (sscanf(run.out, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored) != 2)
		return 1;
	return run.rc != 0 || blocked != 0 || (ignored & ~of_libc) != 0;
}

static void signals_are_as_new(void **state)
{
	(void)state;
	in_a_fork(run_with_odd_signals);
}

static void process_group_is_its_own(void **state)
{
	cleanup_run struct run run;
	int pid, group;

	(void)state;
	run_script(&run, "echo $$; cut -d' ' -f5 /proc/$$/stat");
	assert_int_equal(sscanf(run.out, "%d %d", &pid, &group), 2);
	assert_int_equal(pid, group);
	assert_int_not_equal(group, getpgrp());
}

static void cpu_time_is_bounded(void **state)
{
	cleanup_run struct run run;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), limit;

	(void)state;
	/* it is set just after the start: give it time */
	run_script(&run, "sleep 0.2; ulimit -H -t");
	limit = strtol(run.out, NULL, 10);
	assert_true(limit > 0 && limit <= cpus * (LONG_MS / 1000 + 1) + 1);
}

static void failing_is_no_error_of_ours(void **state)
{
	cleanup_run struct run run;
	char text[64];

	(void)state;
	run_script(&run, "echo why >&2; exit 3");
	assert_int_equal(run.rc, 0);
	child_describe_status(run.result.wait_status, text, sizeof text);
	assert_string_equal(text, "exited with status 3");
	assert_string_equal(buffer_str(&run.result.said), "why\n");
}

static void death_by_signal_is_told(void **state)
{
	cleanup_run struct run run;
	char text[64];

	(void)state;
	run_script(&run, "kill -KILL $$");
	assert_int_equal(run.rc, 0);
	child_describe_status(run.result.wait_status, text, sizeof text);
	assert_string_equal(text, "was ended by signal 9 (Killed)");
}

/*
 * valgrind runs vfork(2) as fork(2), and then a failing exec can't be told to the parent: the C
 * library's child ends with status 127 there.
 */
static bool valgrind_runs_us(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

static void not_starting_is_told_apart(void **state)
{
	static const struct {
		const char *program, *why;
	} cases[] = {{"/nonexistent/covdata", "No such file or directory"},
		     {"/etc/passwd", "Permission denied"},
		     {"/", "Permission denied"}};
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const argv[] = {cases[i].program, NULL};
		struct child child = {argv, no_environment, -1, false};
		cleanup_with(child_result_free) struct child_result result = {0};
		struct error err = {0};

		if (valgrind_runs_us()) {
			assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
			/* 127, or what valgrind makes of the child's memory, a copy there */
			assert_int_not_equal(WEXITSTATUS(result.wait_status), 0);
			continue;
		}
		assert_int_equal(child_run(&child, &result, &deadline, &err), -1);
		assert_int_equal(err.class, ERROR_INTERNAL);
		assert_non_null(strstr(err.message, cases[i].program));
		assert_non_null(strstr(err.message, cases[i].why));
	}
	assert_no_children();
}

static int run_without_descriptors(void)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);
	struct child child = {argv, no_environment, -1, false};
	struct child_result result = {0};
	struct error err = {0};
	int last = -1, fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		last = fd;
	if (child_run(&child, &result, &deadline, &err) != -1 || err.class != ERROR_UNAVAILABLE)
		return 1;
	close(last);
	return child_run(&child, &result, &deadline, &err) != -1 || err.class != ERROR_UNAVAILABLE;
}

static void exhaustion_is_told_apart(void **state)
{
	(void)state;
	in_a_fork(run_without_descriptors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_and_stderr_are_kept),
	    cmocka_unit_test(arguments_meet_no_shell),
	    cmocka_unit_test(environment_is_the_given_one),
	    cmocka_unit_test(descriptors_are_the_three),
	    cmocka_unit_test(null_device_stands_in),
	    cmocka_unit_test(closed_stdio_of_ours_does_no_harm),
	    cmocka_unit_test(signals_are_as_new),
	    cmocka_unit_test(process_group_is_its_own),
	    cmocka_unit_test(cpu_time_is_bounded),
	    cmocka_unit_test(failing_is_no_error_of_ours),
	    cmocka_unit_test(death_by_signal_is_told),
	    cmocka_unit_test(not_starting_is_told_apart),
	    cmocka_unit_test(exhaustion_is_told_apart),
	};

	io_cloexec_from(3); /* as the program does at its start */
	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
