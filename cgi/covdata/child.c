#include "cgi/covdata/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgi/base/io.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum {
	TERM_GRACE_MS =
	    1000,	 /* between TERM and KILL; process managers kill us 3 s after their TERM */
	LINGER_MS = 250, /* for what is left of stderr once the leader has ended */
	LOOK_MS = 10,	 /* between two looks at the child where the kernel has no pidfd */
	BUSY_TRIES = 20, /* see spawn_unless_busy() */
	BUSY_PAUSE_MS = 10,
};

/* One child under way. */
struct watch {
	pid_t pid;   /* of the leader, and of its process group */
	int pidfd;   /* -1 = the kernel has none */
	int said_fd; /* our end of its stderr; -1 = at its end */
	struct buffer *said;
	bool ended; /* the leader is a zombie: its pid, and so its group's, can't be reused yet */
};

/* --- starting ----------------------------------------------------------------------------------
 */

/* A copy at 3 or above, so that filling the child's 0, 1 and 2 can't overwrite it. */
static int copy_above_stdio(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int child_attributes(posix_spawnattr_t *attr)
{
	sigset_t set;
	int rc;

	rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	sigemptyset(&set);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &set);
	sigfillset(&set);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &set);
	return rc;
}

/* What becomes the child's 0, 1 and 2; all other descriptors of this process are close-on-exec. */
struct stdio {
	int in, out, said; /* at 3 or above; owned */
};

static int child_descriptors(posix_spawn_file_actions_t *actions, const struct stdio *stdio)
{
	int rc;

	rc = posix_spawn_file_actions_adddup2(actions, stdio->in, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, stdio->out, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, stdio->said, 2);
	return rc;
}

static int spawn(const struct child *child, const struct stdio *stdio, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc;

	rc = posix_spawnattr_init(&attr);
	if (rc)
		return rc;
	rc = posix_spawn_file_actions_init(&actions);
	if (rc == 0) {
		rc = child_attributes(&attr);
		if (rc == 0)
			rc = child_descriptors(&actions, stdio);
		if (rc == 0)
			/* the type of argv is historical: posix_spawn(3) changes nothing in it */
			rc = posix_spawn(pid, child->argv[0], &actions, &attr,
					 (char *const *)child->argv, (char *const *)child->envp);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attr);
	return rc;
}

/*
 * A program that has just been written (`go tool` builds covdata on its first use) stays "busy" for
 * as long as a process forked meanwhile holds a copy of the writer's descriptor: until that one's
 * exec.
 */
static int spawn_unless_busy(const struct child *child, const struct stdio *stdio, pid_t *pid)
{
	const struct timespec pause = {0, BUSY_PAUSE_MS * 1000000};
	int rc, tries = 0;

	while ((rc = spawn(child, stdio, pid)) == ETXTBSY && ++tries < BUSY_TRIES)
		nanosleep(&pause, NULL);
	return rc;
}

/*
 * posix_spawn(3) can't ask for a signal at the parent's death, and where this process is killed
 * nobody is left to keep the child's deadline.  A limit of CPU time ends what would spin on for
 * ever: all CPUs for the time that is left, and a second.  Soft and hard alike, since Go ignores
 * SIGXCPU.
 */
static void bound_cpu_time(pid_t pid, const struct deadline *deadline)
{
	rlim_t seconds = (rlim_t)(deadline_left_ms(deadline) / 1000 + 1);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = seconds * (rlim_t)(cpus > 0 ? cpus : 1) + 1;
	/* it fails where a lower hard limit was inherited: then that one bounds the child */
	prlimit(pid, RLIMIT_CPU, &limit, NULL);
}

static void stdio_close(struct stdio *stdio)
{
	if (stdio->in >= 0)
		close(stdio->in);
	if (stdio->out >= 0)
		close(stdio->out);
	if (stdio->said >= 0)
		close(stdio->said);
}

/* The child's 0 is empty, and so is its 1 unless there is somebody who wants that; its 2 goes to
 * us. */
static int open_stdio(const struct child *child, int said, struct stdio *stdio, struct error *err)
{
	cleanup_fd int null = io_open_null();

	if (null >= 0)
		stdio->in = copy_above_stdio(null);
	if (stdio->in >= 0)
		stdio->out = copy_above_stdio(child->stdout_fd >= 0 ? child->stdout_fd : null);
	if (stdio->out >= 0)
		stdio->said = copy_above_stdio(said);
	if (stdio->said < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't open the descriptors of %s",
				   child->argv[0]);
	return 0;
}

static int start(const struct child *child, struct watch *watch, struct error *err)
{
	cleanup_with(stdio_close) struct stdio stdio = {-1, -1, -1};
	cleanup_fd int in = -1, said = -1;
	int pipe_fds[2], rc;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make a pipe for %s",
				   child->argv[0]);
	in = pipe_fds[0];
	said = pipe_fds[1];
	if (open_stdio(child, said, &stdio, err) < 0)
		return -1;
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't set up a pipe");
	rc = spawn_unless_busy(child, &stdio, &watch->pid);
	if (rc)
		return error_errno(err, ERROR_INTERNAL, rc, "can't start %s", child->argv[0]);
	watch->said_fd = steal_fd(&in);
	watch->pidfd = (int)syscall(SYS_pidfd_open, watch->pid, 0); /* close-on-exec by itself */
	return 0;
}

/* --- watching ----------------------------------------------------------------------------------
 */

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

/* One wait until something happens, at_ns at the latest.  Returns whether the cancellation is up.
 */
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

/* The whole group is ended and the leader is reaped; KILL waits for nothing but the kernel. */
static int finish(struct watch *w, int *status)
{
	pid_t got;

	kill(-w->pid, SIGKILL);
	do
		got = waitpid(w->pid, status, 0);
	while (got < 0 && errno == EINTR);
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->said_fd >= 0)
		close(w->said_fd);
	forget_front(w->said, CHILD_STDERR_MAX);
	return got < 0 ? -1 : 0;
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
	bound_cpu_time(w.pid, deadline);
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
