#include "cgi/covdata/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "cgi/covdata/child_start.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum {
	TERM_GRACE_MS =
	    1000,	 /* between TERM and KILL; process managers kill us 3 s after their TERM */
	LINGER_MS = 250, /* for what is left of stderr once the leader has ended */
	LOOK_MS = 10,	 /* between two looks at the child where the kernel has no pidfd */
	REAP_MS = 1000,	 /* for the kernel to end what was killed */
};

/* One child under way. */
struct watch {
	pid_t pid;   /* of the leader, and of its process group */
	int pidfd;   /* -1 = the kernel has none */
	int said_fd; /* our end of its stderr; -1 = at its end */
	struct buffer *said;
	bool ended; /* the leader is a zombie: its pid, and so its group's, can't be reused yet */
};

/* --- starting -------------------------------------------------------------------------------- */

static void limit(pid_t pid, int what, rlim_t most)
{
	const struct rlimit both = {most, most};

	/* it fails where a lower hard limit was inherited: then that one bounds the child */
	prlimit(pid, what, &both, NULL);
}

/*
 * The kernel kills the child when this process is killed, but not what the child has started: a
 * limit of CPU time ends what would spin on for ever.  All CPUs for the time that is left, and a
 * second; soft and hard alike, since Go ignores SIGXCPU.  Its output lies in memory, and so it is
 * bounded, too.
 */
static void bound_resources(pid_t pid, const struct deadline *deadline)
{
	rlim_t seconds = (rlim_t)(deadline_left_ms(deadline) / 1000 + 1);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	limit(pid, RLIMIT_CPU, seconds * (rlim_t)(cpus > 0 ? cpus : 1) + 1);
	limit(pid, RLIMIT_FSIZE, CHILD_OUTPUT_MAX);
}

static int start(const struct child *child, struct watch *watch, struct error *err)
{
	cleanup_fd int in = -1, said = -1;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make a pipe for %s",
				   child->argv[0]);
	in = pipe_fds[0];
	said = pipe_fds[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't set up a pipe");
	if (child_start(child, said, &watch->pid, err) < 0)
		return -1;
	watch->said_fd = steal_fd(&in);
	watch->pidfd = (int)syscall(SYS_pidfd_open, watch->pid, 0); /* close-on-exec by itself */
	return 0;
}

/* --- watching -------------------------------------------------------------------------------- */

/* Keep the last `most` bytes. */
static void forget_front(struct buffer *b, size_t most)
{
	size_t surplus;

	if (b->len <= most)
		return;
	surplus = b->len - most;
	memmove(b->data, b->data + surplus, most + 1);
	b->len = most;
}

/* Take what is there, a few pieces at most: the deadline must stay in sight under a flood. */
static void drain(struct watch *w)
{
	char piece[4096];
	int pieces;

	for (pieces = 0; pieces < 64; pieces++) {
		ssize_t n = read(w->said_fd, piece, sizeof piece);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close(steal_fd(&w->said_fd));
			return;
		}
		buffer_append(w->said, piece, (size_t)n);
		if (w->said->len > 2 * CHILD_STDERR_MAX)
			forget_front(w->said, CHILD_STDERR_MAX);
	}
}

/* The zombie is left in place: while it stands, its pid names no other process or group. */
static void look_whether_ended(struct watch *w)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		w->ended = errno == ECHILD; /* somebody ignores SIGCHLD: the kernel has reaped it */
	else
		w->ended = info.si_pid == w->pid;
}

/* One wait until something happens, at_ns at the latest.  Returns whether the cancellation is
 * up. */
static bool watch_once(struct watch *w, int64_t at_ns, int cancel_fd)
{
	struct deadline until = {at_ns, -1};
	struct pollfd fds[3] = {
	    {w->said_fd, POLLIN, 0}, {w->ended ? -1 : w->pidfd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
	int64_t left = deadline_left_ms(&until);

	if (w->pidfd < 0 && !w->ended && left > LOOK_MS)
		left = LOOK_MS;
	if (poll(fds, 3, left > INT_MAX ? INT_MAX : (int)left) < 0)
		return false;
	if (fds[0].revents)
		drain(w);
	if (!w->ended)
		look_whether_ended(w);
	/* dead, but a debugger that is attached sees it first: no reason to spin */
	if (fds[1].revents && !w->ended)
		close(steal_fd(&w->pidfd));
	return fds[2].revents != 0;
}

/* Until the leader has ended. */
static enum deadline_result watch_run(struct watch *w, const struct deadline *deadline)
{
	while (!w->ended) {
		if (watch_once(w, deadline->at_ns, deadline->cancel_fd))
			return DEADLINE_CANCELLED;
		if (!w->ended && deadline_left_ms(deadline) == 0)
			return DEADLINE_PASSED;
	}
	return DEADLINE_READY;
}

static void watch_for_ms(struct watch *w, int64_t ms, bool also_after_the_end)
{
	struct deadline until = deadline_in_ms(ms, -1);

	while (also_after_the_end ? w->said_fd >= 0 : !w->ended) {
		watch_once(w, until.at_ns, -1);
		if (deadline_left_ms(&until) == 0)
			break;
	}
}

/* --- the end --------------------------------------------------------------------------------- */

static void *reap(void *pid)
{
	while (waitpid((pid_t)(intptr_t)pid, NULL, 0) < 0 && errno == EINTR)
		;
	return NULL;
}

/*
 * A process that waits for a device or a network file system outlives even KILL, and nobody knows
 * for how long: the answer can't wait for it.
 */
static void leave_to_reaper(pid_t pid)
{
	sigset_t all, before;
	pthread_t thread;

	log_line("process %d does not end though it was killed: it is left behind", (int)pid);
	/* signals are for the thread that waits for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, reap, (void *)(intptr_t)pid) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int reap_leader(struct watch *w, int *status)
{
	pid_t got;

	watch_for_ms(w, REAP_MS, false);
	if (!w->ended) {
		leave_to_reaper(w->pid);
		return -1;
	}
	do
		got = waitpid(w->pid, status, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -1 : 0;
}

/* The whole group is ended and the leader is reaped, which waits for nothing but the kernel. */
static int finish(struct watch *w, int *status)
{
	int rc;

	kill(-w->pid, SIGKILL);
	rc = reap_leader(w, status);
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->said_fd >= 0)
		close(w->said_fd);
	forget_front(w->said, CHILD_STDERR_MAX);
	return rc;
}

int child_run(const struct child *child, struct child_result *result,
	      const struct deadline *deadline, struct error *err)
{
	struct watch w = {.pidfd = -1, .said_fd = -1, .said = &result->said};
	enum deadline_result how;

	result->wait_status = 0;
	result->said = BUFFER_INIT;
	if (start(child, &w, err) < 0)
		return -1;
	bound_resources(w.pid, deadline);
	how = watch_run(&w, deadline);
	if (how == DEADLINE_READY) {
		watch_for_ms(&w, LINGER_MS, true);
	} else {
		kill(-w.pid, SIGTERM);
		watch_for_ms(&w, TERM_GRACE_MS, false);
	}
	if (finish(&w, &result->wait_status) < 0 && how == DEADLINE_READY)
		return error_set(err, ERROR_INTERNAL,
				 "the status of %s is lost: this process ignores SIGCHLD",
				 child->argv[0]);
	if (how == DEADLINE_PASSED)
		return error_set(err, ERROR_TIMEOUT, "%s ran past its deadline and was ended",
				 child->argv[0]);
	if (how == DEADLINE_CANCELLED)
		return error_set(err, ERROR_CANCELLED,
				 "%s was ended: nobody waits for the answer any more",
				 child->argv[0]);
	return 0;
}

void child_result_free(struct child_result *result)
{
	buffer_free(&result->said);
}

void child_describe_status(int wait_status, char *out, size_t room)
{
	if (WIFEXITED(wait_status))
		snprintf(out, room, "exited with status %d", WEXITSTATUS(wait_status));
	else if (WIFSIGNALED(wait_status))
		snprintf(out, room, "was ended by signal %d (%s)", WTERMSIG(wait_status),
			 strsignal(WTERMSIG(wait_status)));
	else
		snprintf(out, room, "ended in an unknown way (status 0x%x)", (unsigned)wait_status);
}
