/* Running programs: what they are given, how they end, and what they leave behind. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/child.h"
#include "cgi/io.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { LONG_MS = 60000 };

static const char *const no_environment[] = {"LANG=C", NULL};

/* One run of a shell script, with all that came of it. */
struct run {
	int rc;
	struct child_result result;
	char out[4096]; /* what it wrote to fd 1 */
	struct error err;
};

static void run_until(struct run *run, const char *script, const struct deadline *deadline)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	struct child child = {argv, no_environment, out};
	ssize_t n;

	memset(run, 0, sizeof *run);
	run->rc = child_run(&child, &run->result, deadline, &run->err);
	n = io_pread_full(out, run->out, sizeof run->out - 1, 0);
	run->out[n > 0 ? n : 0] = '\0';
}

static void run_script(struct run *run, const char *script)
{
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);

	run_until(run, script, &deadline);
}

static void free_run(struct run *run)
{
	child_result_free(&run->result);
}

#define cleanup_run cleanup_with(free_run)

/* A process that is gone, or a zombie that waits for somebody else's init. */
static bool is_dead(pid_t pid)
{
	char path[64], text[512] = "";
	cleanup_fd int fd = -1;
	const char *state;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || io_read_full(fd, text, sizeof text - 1) <= 0)
		return true;
	state = strrchr(text, ')');
	return state && (state[2] == 'Z' || state[2] == 'X');
}

/* KILL has been sent: the kernel gets to it in its own time. */
static void assert_dies(pid_t pid)
{
	int i;

	assert_true(pid > 1);
	for (i = 0; i < 2000 && !is_dead(pid); i++)
		usleep(10000);
	assert_true(is_dead(pid));
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

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
	struct child child = {argv, no_environment, out};
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
	struct child child = {argv, envp, out};
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
	struct child child = {argv, no_environment, out};
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
	struct child child = {argv, no_environment, -1};
	struct error err = {0};

	(void)state;
	assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
	assert_string_equal(buffer_str(&result.said), "/dev/null /dev/null\n");
}

/* In a process of its own: what `body` returns must be 0. */
static void in_a_fork(int body(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
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
		struct child child = {argv, no_environment, -1};
		cleanup_with(child_result_free) struct child_result result = {0};
		struct error err = {0};

		if (valgrind_runs_us()) {
			assert_int_equal(child_run(&child, &result, &deadline, &err), 0);
			assert_int_equal(WEXITSTATUS(result.wait_status), 127);
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
	struct child child = {argv, no_environment, -1};
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

static void deadline_ends_the_group(void **state)
{
	struct deadline deadline = deadline_in_ms(300, -1);
	cleanup_run struct run run;
	int leader, grandchild;

	(void)state;
	run_until(&run, "sleep 1000 & echo $$ $!; echo waiting >&2; wait", &deadline);
	assert_int_equal(run.rc, -1);
	assert_int_equal(run.err.class, ERROR_TIMEOUT);
	assert_string_equal(buffer_str(&run.result.said), "waiting\n");
	assert_int_equal(sscanf(run.out, "%d %d", &leader, &grandchild), 2);
	assert_dies(leader);
	assert_dies(grandchild);
	assert_no_children();
}

static void ignoring_term_does_not_help(void **state)
{
	struct deadline deadline = deadline_in_ms(300, -1);
	cleanup_run struct run run;
	int leader;

	(void)state;
	run_until(&run, "trap '' TERM; echo $$; while :; do sleep 0.1; done", &deadline);
	assert_int_equal(run.rc, -1);
	assert_int_equal(run.err.class, ERROR_TIMEOUT);
	assert_int_equal(sscanf(run.out, "%d", &leader), 1);
	assert_dies(leader);
	assert_no_children();
}

static void *make_readable(void *fd)
{
	usleep(200000);
	assert_int_equal(eventfd_write(*(int *)fd, 1), 0);
	return NULL;
}

static void cancelling_ends_it(void **state)
{
	cleanup_fd int cancel = eventfd(0, EFD_CLOEXEC);
	struct deadline deadline = deadline_in_ms(LONG_MS * 60, cancel);
	cleanup_run struct run run;
	pthread_t thread;
	int leader;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, make_readable, &cancel), 0);
	run_until(&run, "echo $$; sleep 1000", &deadline);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(run.rc, -1);
	assert_int_equal(run.err.class, ERROR_CANCELLED);
	assert_int_equal(sscanf(run.out, "%d", &leader), 1);
	assert_dies(leader);
	assert_no_children();
}

static void flood_is_drained_and_its_end_kept(void **state)
{
	cleanup_run struct run run;

	(void)state;
	run_script(&run, "head -c 9000000 /dev/zero | tr '\\0' x >&2; printf 'the end' >&2");
	assert_int_equal(run.rc, 0);
	assert_int_equal(run.result.wait_status, 0);
	assert_int_equal(run.result.said.len, CHILD_STDERR_MAX);
	assert_string_equal(buffer_str(&run.result.said) + CHILD_STDERR_MAX - 8, "xthe end");
	assert_int_equal(run.result.said.data[0], 'x');
}

static void grandchild_with_stderr_holds_nothing_up(void **state)
{
	cleanup_run struct run run;
	int grandchild;

	(void)state;
	run_script(&run, "(trap '' TERM; echo left >&2; exec sleep 1000) & echo $!");
	assert_int_equal(run.rc, 0);
	assert_int_equal(run.result.wait_status, 0);
	assert_int_equal(sscanf(run.out, "%d", &grandchild), 1);
	assert_dies(grandchild);
	assert_no_children();
}

static void stderr_closed_early_is_waited_past(void **state)
{
	cleanup_run struct run run;

	(void)state;
	run_script(&run, "exec 2>&-; sleep 0.3; printf done; exit 7");
	assert_int_equal(run.rc, 0);
	assert_int_equal(WEXITSTATUS(run.result.wait_status), 7);
	assert_string_equal(run.out, "done");
}

/* As on kernels before 5.3, and in sandboxes that do not know the call. */
static void forbid_pidfd_open(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(100);
}

static int run_without_pidfd(void)
{
	struct deadline deadline;
	cleanup_run struct run run;

	forbid_pidfd_open();
	if (syscall(SYS_pidfd_open, getpid(), 0) != -1 || errno != ENOSYS)
		_exit(1);
	run_script(&run, "printf one; echo two >&2; sleep 0.2; exit 5");
	if (run.rc != 0 || WEXITSTATUS(run.result.wait_status) != 5 || strcmp(run.out, "one"))
		return 2;
	free_run(&run);
	run_script(&run, "exec 2>&-; sleep 0.2");
	if (run.rc != 0 || run.result.wait_status != 0)
		return 3;
	free_run(&run);
	deadline = deadline_in_ms(300, -1);
	run_until(&run, "trap '' TERM; while :; do sleep 0.1; done", &deadline);
	return run.rc != -1 || run.err.class != ERROR_TIMEOUT ? 4 : 0;
}

static void kernel_without_pidfd_will_do(void **state)
{
	(void)state;
	in_a_fork(run_without_pidfd);
}

static int run_with_sigchld_ignored(void)
{
	cleanup_run struct run run;

	signal(SIGCHLD, SIG_IGN);
	run_script(&run, "exit 0");
	return run.rc != -1 || run.err.class != ERROR_INTERNAL ||
	       !strstr(run.err.message, "SIGCHLD");
}

static void lost_status_is_told(void **state)
{
	(void)state;
	in_a_fork(run_with_sigchld_ignored);
}

enum { THREADS = 8, RUNS = 12 };

static void *run_many(void *arg)
{
	int number = (int)(intptr_t)arg, i;

	for (i = 0; i < RUNS; i++) {
		cleanup_run struct run run;
		char script[64], expected[16];

		snprintf(script, sizeof script, "echo %d; echo %d >&2; exit %d", number, number,
			 number);
		snprintf(expected, sizeof expected, "%d\n", number);
		run_script(&run, script);
		if (run.rc != 0 || WEXITSTATUS(run.result.wait_status) != number ||
		    strcmp(run.out, expected) != 0 ||
		    strcmp(buffer_str(&run.result.said), expected) != 0)
			return arg;
	}
	return NULL;
}

static void threads_get_their_own_children(void **state)
{
	pthread_t threads[THREADS];
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, run_many, (void *)(intptr_t)(i + 1)), 0);
	for (i = 0; i < THREADS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_no_children();
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

	output_and_stderr_are_kept(state);
	not_starting_is_told_apart(state);
	ignoring_term_does_not_help(state);
	grandchild_with_stderr_holds_nothing_up(state);
	assert_int_equal(open_descriptors(), before);
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
	    cmocka_unit_test(deadline_ends_the_group),
	    cmocka_unit_test(ignoring_term_does_not_help),
	    cmocka_unit_test(cancelling_ends_it),
	    cmocka_unit_test(flood_is_drained_and_its_end_kept),
	    cmocka_unit_test(grandchild_with_stderr_holds_nothing_up),
	    cmocka_unit_test(stderr_closed_early_is_waited_past),
	    cmocka_unit_test(kernel_without_pidfd_will_do),
	    cmocka_unit_test(lost_status_is_told),
	    cmocka_unit_test(threads_get_their_own_children),
	    cmocka_unit_test(nothing_is_left_open),
	};

	io_cloexec_from(3); /* as the program does at its start */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
