#include "config.h"

#include "cgi/covdata/child_start.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/sandbox/child_confinement.h"

enum {
	STACK_SIZE = 64 << 10, /* of the child until its exec */
	COULD_NOT = 127,       /* exit status of a child that did not get to its exec */
	BUSY_TRIES = 20,       /* see start_unless_busy() */
	BUSY_PAUSE_MS = 10,
};

/* What the child is handed; it shares our memory until its exec. */
struct start {
	const struct child *child;
	int in, out, said; /* what becomes its 0, 1 and 2; 3 or above; owned */
	int rules;	   /* of its confinement; -1 = none; owned */
	pid_t parent;
	int failure; /* an errno, where it did not get to its exec */
};

/* --- in the child ---------------------------------------------------------------------------- */

/* What the parent ignores would stay ignored; the C library refuses its own two signals. */
static void reset_signals(void)
{
	const struct sigaction as_new = {.sa_handler = SIG_DFL};
	sigset_t none;
	int number;

	for (number = 1; number < NSIG; number++)
		sigaction(number, &as_new, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All other descriptors are close-on-exec; the table is the child's own already. */
static int fill_descriptors(const struct start *start)
{
	if (dup2(start->in, STDIN_FILENO) < 0 || dup2(start->out, STDOUT_FILENO) < 0)
		return -1;
	return dup2(start->said, STDERR_FILENO);
}

/*
 * posix_spawn(3) can't ask for a signal at the parent's death, and where this process is killed
 * nobody is left to keep the child's deadline.
 */
static int tie_to_parent(const struct start *start)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	if (getppid() == start->parent)
		return 0;
	errno = ESRCH; /* it was faster; nobody reads this */
	return -1;
}

static int confine(const struct start *start)
{
	return start->child->confined ? child_confinement_enter(start->rules) : 0;
}

/* Nothing but system calls: this is our memory, and other threads of ours may hold any lock. */
static int child_main(void *argument)
{
	struct start *start = argument;
	const struct child *child = start->child;

	/* the tie comes last of the two: a change of rights may undo it */
	if (setpgid(0, 0) == 0 && confine(start) == 0 && tie_to_parent(start) == 0 &&
	    fill_descriptors(start) >= 0) {
		reset_signals();
		/* the type of argv is historical: execve(2) changes nothing in it */
		execve(child->argv[0], (char *const *)child->argv, (char *const *)child->envp);
	}
	start->failure = errno;
	return COULD_NOT;
}

/* --- in the parent --------------------------------------------------------------------------- */

#ifdef WITH_SANITIZERS
/* Sanitizers know what fork(2) does; a child in our memory would confuse what they keep of us. */
static pid_t make_child(struct start *start)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		child_main(start);
		if (write(ends[1], &start->failure, sizeof start->failure) < 0)
			_exit(COULD_NOT);
		_exit(COULD_NOT);
	}
	close(ends[1]);
	/* nothing comes when its exec has closed the other end */
	if (pid > 0 && read(ends[0], &start->failure, sizeof start->failure) < 0)
		start->failure = errno;
	close(ends[0]);
	return pid;
}
#else
/* As vfork(2), with a stack of the child's own; this thread waits until the exec. */
static pid_t make_child(struct start *start)
{
	cleanup_free char *stack = aligned_alloc(16, STACK_SIZE);

	if (!stack) {
		errno = ENOMEM;
		return -1;
	}
	return clone(child_main, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, start);
}
#endif

/* An errno. */
static int start_once(struct start *start, pid_t *pid)
{
	sigset_t all, before;
	int rc = 0;

	start->failure = 0;
	start->parent = getpid();
	/* no handler of ours may run in the child */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	*pid = make_child(start);
	if (*pid < 0)
		rc = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0 && start->failure) {
		rc = start->failure;
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return rc;
}

/*
 * A program that has just been written (`go tool` builds covdata on its first use) stays "busy" for
 * as long as a process forked meanwhile holds a copy of the writer's descriptor: until that one's
 * exec.
 */
static int start_unless_busy(struct start *start, pid_t *pid)
{
	const struct timespec pause = {0, BUSY_PAUSE_MS * 1000000};
	int rc, tries = 0;

	while ((rc = start_once(start, pid)) == ETXTBSY && ++tries < BUSY_TRIES)
		nanosleep(&pause, NULL);
	return rc;
}

static void start_close(struct start *start)
{
	if (start->in >= 0)
		close(start->in);
	if (start->out >= 0)
		close(start->out);
	if (start->said >= 0)
		close(start->said);
	if (start->rules >= 0)
		close(start->rules);
}

/* A copy at 3 or above, so that filling the child's 0, 1 and 2 can't overwrite it. */
static int copy_above_stdio(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* The child's 0 is empty, and so is its 1 unless there is somebody who wants that; its 2 is
 * said. */
static int open_stdio(struct start *start, int said, struct error *err)
{
	const struct child *child = start->child;
	cleanup_fd int null = io_open_null();

	if (null >= 0)
		start->in = copy_above_stdio(null);
	if (start->in >= 0)
		start->out = copy_above_stdio(child->stdout_fd >= 0 ? child->stdout_fd : null);
	if (start->out >= 0)
		start->said = copy_above_stdio(said);
	if (start->said < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't open the descriptors of %s",
				   child->argv[0]);
	return 0;
}

int child_start(const struct child *child, int said, pid_t *pid, struct error *err)
{
	cleanup_with(start_close) struct start start = {
	    .child = child, .in = -1, .out = -1, .said = -1, .rules = -1};
	int rc;

	if (open_stdio(&start, said, err) < 0)
		return -1;
	if (child->confined)
		start.rules = child_confinement_rules();
	rc = start_unless_busy(&start, pid);
	return rc ? error_errno(err, ERROR_INTERNAL, rc, "can't start %s", child->argv[0]) : 0;
}
