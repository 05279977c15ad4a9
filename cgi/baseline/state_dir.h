/*
 * The directory for what must outlive the process (GOVERAGE_STATE): mode 0700, of this user, never
 * a symbolic link, never inside a coverage directory.  Without the setting it lies beside the first
 * coverage directory and is called as it is, with STATE_DIR_SUFFIX behind.
 */
#ifndef GOVERAGE_BASELINE_STATE_DIR_H
#define GOVERAGE_BASELINE_STATE_DIR_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/settings.h"
#include "cgi/base/string_list.h"

#define STATE_DIR_SUFFIX ".goverage-state"

struct state_dir {
	char *path; /* owned; absolute */
	int fd;	    /* -1 = there is none */
	int lock;   /* held by who may write; -1 = for reading only */
};

#define STATE_DIR_INIT ((struct state_dir){NULL, -1, -1})

/*
 * Open it for reading; `dirs` are the real paths of the coverage directories.  It is no error when
 * it does not exist: fd is -1 then.  -1: ERROR_INTERNAL for one that can't be trusted or read,
 * ERROR_UNAVAILABLE.
 */
must_check int state_dir_open(struct state_dir *state, const struct settings *settings,
			      const struct string_list *dirs, struct error *err);

/*
 * Open it for writing: make it where it does not exist, and wait until nobody else writes.
 * -1: ERROR_INTERNAL with what to do, ERROR_UNAVAILABLE, ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int state_dir_open_locked(struct state_dir *state, const struct settings *settings,
				     const struct string_list *dirs,
				     const struct deadline *deadline, struct error *err);

/* A file or directory in it can't be written, for errnum: what to do.  Returns -1. */
int state_dir_cannot_write(const struct state_dir *state, int errnum, struct error *err);

void state_dir_close(struct state_dir *state);

#define cleanup_state_dir cleanup_with(state_dir_close)

#endif
