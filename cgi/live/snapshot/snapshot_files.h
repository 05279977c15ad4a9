/* The files of a snapshot, as a process would have written them itself. */
#ifndef GOVERAGE_LIVE_SNAPSHOT_SNAPSHOT_FILES_H
#define GOVERAGE_LIVE_SNAPSHOT_SNAPSHOT_FILES_H

#include "cgi/live/live.h"
#include "cgi/live/snapshot/program_snapshot.h"

/* Bytes of all snapshots of one request; a thousand large services take a tenth of it. */
enum { SNAPSHOT_FILES_MAX = 1 << 30 };

/*
 * Add covcounters.<hash>.<pid>.<start time> for the line's process, whose name is kept in
 * line->counters_file; the time is moved on by a nanosecond at a time until the name is free, since
 * two processes in different containers may have all three the same.  Add covmeta.<hash>, too, when
 * `with_meta` is set and there is none yet.  -1 with FAULT_REQUEST, also where they all would take
 * more than SNAPSHOT_FILES_MAX bytes.
 */
must_check int snapshot_files_add(struct memory_files *files,
				  const struct program_snapshot *snapshot,
				  const struct string_list *argv, const char *goarch,
				  bool with_meta, struct live_process *line, struct fault *fault);

#endif
