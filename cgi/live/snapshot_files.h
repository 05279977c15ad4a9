/* The files of a snapshot in the private directory of a request. */
#ifndef GOVERAGE_LIVE_SNAPSHOT_FILES_H
#define GOVERAGE_LIVE_SNAPSHOT_FILES_H

#include "cgi/live/live.h"
#include "cgi/live/program_snapshot.h"

/*
 * Write covcounters.<hash>.<pid>.<start time> for the line's process, whose name is kept in
 * line->counters_file; the time is moved on by a nanosecond at a time until the name is free, since
 * two processes in different containers may have all three the same.  Write covmeta.<hash>, too,
 * when `with_meta` is set and the directory has none yet.  -1 with FAULT_REQUEST.
 */
must_check int snapshot_files_write(int dir_fd, const struct program_snapshot *snapshot,
				    const struct string_list *argv, const char *goarch,
				    bool with_meta, struct live_process *line, struct fault *fault);

#endif
