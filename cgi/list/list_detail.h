/*
 * The detailed list: a JSON array with an object for each process (two where a process runs two
 * covered programs, as with a Go library in it), by pid; then one for each program that has files
 * but no process that was read, by name.  Its members; what is not known is left out:
 *
 * - name: of the program: the base name of its executable; of files see program_name.h.
 * - state: "live", "denied", "gone" or "unsupported" of a process (see live.h).  Of files "ended";
 *   "unknown" where there is no counter file and some process could not be read: it may be that
 *   one's program.  With GOVERAGE_LIVE=off no process is looked for, and all have ended.
 * - reason: one sentence, unless the state is "live" or "ended".
 * - pid, address: the pid of a process as this program sees it, and proc://HOST/PID.
 * - startTime: of a process.
 * - executable: path of a process's program.
 * - library: path of the Go library that carries the counters, if it is not the executable.
 * - goVersion, mainPackage, modulePath, moduleVersion, vcsRevision, vcsModified: from the build
 *   information in the executable.  Of files only mainPackage, the import path, and modulePath,
 *   from the meta-data.
 * - mode: "set", "count" or "atomic".
 * - hash: of the meta-data, as in the names of its files.
 * - functions: those that are instrumented.
 * - functionsTouched: of them, those that have run; of files, by all counter files together, and
 *   left out where these are damaged or too much to look into (LIST_ENDED_MAX_BYTES).
 * - counterFiles: of files, the number of counter files.
 * - newest: when the newest of them was written.
 *
 * Times are RFC 3339 in UTC with milliseconds.
 */
#ifndef GOVERAGE_LIST_LIST_DETAIL_H
#define GOVERAGE_LIST_LIST_DETAIL_H

#include "cgi/base/buffer.h"
#include "cgi/list/list_ended.h"
#include "cgi/live/live.h"

/* Append the array and a line feed.  `host` is the one of the addresses. */
void list_detail_write(struct buffer *out, const char *host, const struct live_report *live,
		       const struct ended_list *ended);

/* Append the address of a process as a JSON string. */
void list_write_address(struct buffer *out, const char *host, pid_t pid);

#endif
