/* Paths as another process sees them: under its root directory, or from its working directory. */
#ifndef GOVERAGE_LIVE_PROCESS_PROCESS_ROOT_H
#define GOVERAGE_LIVE_PROCESS_PROCESS_ROOT_H

#include "cgi/base/cleanup.h"

/*
 * What `path` names in the process whose /proc directory is dir_fd, as an O_PATH descriptor of the
 * caller: opening it has no effect, whatever it is.  Symbolic links in an absolute path lead to
 * places under the process's root, not under ours.  -1 with errno.
 */
must_check int process_open_path(int dir_fd, const char *path);

/* Open for reading what an O_PATH descriptor stands for, if it is a regular file.  -1 with
 * errno. */
must_check int open_regular(int path_fd);

#endif
