/*
 * The detailed list: a JSON array with an object for each process (two where a process runs two
 * covered programs, as with a Go library in it), by pid; then one for each program that has files
 * but no process. Its members; what is not known is left out:
 *
 *   name              of the program: the base name of its executable; of an ended one see
 * program_name.h state             "live", "denied", "gone", "unsupported" (see live.h), or
 * "ended": it has files only reason            where the state is "denied", "gone" or
 * "unsupported": one sentence pid, address      of a process: the pid as this program sees it, and
 * proc://HOST/PID startTime         of a process executable        of a process: its path library
 * path of the Go library that carries the counters, if it is not the executable goVersion,
 * mainPackage, modulePath, moduleVersion, vcsRevision, vcsModified from the build information in
 * the executable; of an ended program only the import path of its main package and its module, from
 * the meta-data mode              "set", "count", "atomic" hash              of the meta-data, as
 * in the names of its files functions         that are instrumented functionsTouched  of them,
 * those that have run; of an ended program by all of its counter files, and left out where these
 * are too much to look into (LIST_ENDED_MAX_BYTES) counterFiles      of an ended program: their
 * number newest            of an ended program: when the newest of them was written
 *
 * Times are RFC 3339 in UTC with milliseconds.
 */
#ifndef GOVERAGE_LIST_DETAIL_H
#define GOVERAGE_LIST_DETAIL_H

#include "cgi/buffer.h"
#include "cgi/list_ended.h"
#include "cgi/live/live.h"

/* Append the array and a line feed.  `host` is the one of the addresses. */
void list_detail_write(struct buffer *out, const char *host, const struct live_report *live,
		       const struct ended_list *ended);

/* Append the address of a process as a JSON string. */
void list_write_address(struct buffer *out, const char *host, pid_t pid);

#endif
