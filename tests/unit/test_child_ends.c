/* Programs that do not end as they should, and what is left of them: nothing. */
#include "child_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

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

	flood_is_drained_and_its_end_kept(state);
	cancelling_ends_it(state);
	ignoring_term_does_not_help(state);
	grandchild_with_stderr_holds_nothing_up(state);
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	return cmocka_run_group_tests_name("child_ends", tests, NULL, NULL);
}
