/* Running shell scripts through child_run(), for its tests. */
#ifndef GOVERAGE_TESTS_UNIT_CHILD_FIXTURE_H
#define GOVERAGE_TESTS_UNIT_CHILD_FIXTURE_H

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/covdata/child.h"

enum { LONG_MS = 60000 };

static const char *const no_environment[] = {"LANG=C", NULL};

/* One run of a shell script, with all that came of it. */
struct run {
	int rc;
	struct child_result result;
	char out[4096]; /* what it wrote to fd 1 */
	struct error err;
};

static inline void run_until(struct run *run, const char *script, const struct deadline *deadline)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	struct child child = {argv, no_environment, out, false};
	ssize_t n;

	memset(run, 0, sizeof *run);
	run->rc = child_run(&child, &run->result, deadline, &run->err);
	n = io_pread_full(out, run->out, sizeof run->out - 1, 0);
	run->out[n > 0 ? n : 0] = '\0';
}

static inline void run_script(struct run *run, const char *script)
{
	struct deadline deadline = deadline_in_ms(LONG_MS, -1);

	run_until(run, script, &deadline);
}

static inline void free_run(struct run *run)
{
	child_result_free(&run->result);
}

#define cleanup_run cleanup_with(free_run)

/* A process that is gone, or a zombie that waits for somebody else's init. */
static inline bool is_dead(pid_t pid)
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
static inline void assert_dies(pid_t pid)
{
	int i;

	assert_true(pid > 1);
	for (i = 0; i < 2000 && !is_dead(pid); i++)
		usleep(10000);
	assert_true(is_dead(pid));
}

static inline void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* In a process of its own: what `body` returns must be 0. */
static inline void in_a_fork(int body(void))
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

#endif
