/*
 * Run one program to its end: no shell, own process group, a clean descriptor table (0 = null
 * device, 1 = what the caller gives, 2 = kept in memory), empty signal mask, default dispositions,
 * an environment made for it, a deadline (TERM to the group, a short grace, KILL), always reaped.
 */
#ifndef GOVERAGE_COVDATA_CHILD_H
#define GOVERAGE_COVDATA_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/buffer.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"

struct child {
	const char *const *argv; /* argv[0] is an absolute path; NULL at the end */
	const char *const *envp; /* NULL at the end */
	int stdout_fd;		 /* becomes its fd 1; -1 = nowhere; not closed */
	bool confined;		 /* it may change no file: see child_confinement.h */
};

struct child_result {
	int wait_status;    /* as waitpid(2) gives it; meaningful when child_run() returned 0 */
	struct buffer said; /* what it wrote to fd 2: the last CHILD_STDERR_MAX bytes; owned */
};

enum {
	CHILD_STDERR_MAX = 65536,
	CHILD_OUTPUT_MAX = 512 << 20, /* bytes in any file that it writes */
};

/*
 * 0 when it ran and ended by itself, whatever its status.  -1: ERROR_INTERNAL or ERROR_UNAVAILABLE
 * when it could not be started (a different thing from failing), ERROR_TIMEOUT when the deadline
 * ended it, ERROR_CANCELLED.  It is finished when it is reaped and its stderr is at its end, or a
 * moment after it was reaped (a grandchild may hold the stderr open: the group is killed then).
 */
must_check int child_run(const struct child *child, struct child_result *result,
			 const struct deadline *deadline, struct error *err);

/* Free what it said; to be called on every path, the failed one included. */
void child_result_free(struct child_result *result);

/* "exited with status 2", "was ended by signal 9 (Killed)". */
void child_describe_status(int wait_status, char *out, size_t room);

#endif
