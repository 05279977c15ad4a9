/*
 * The coverage counters of running Go services, read from outside: the services are not stopped,
 * not written to, and don't notice.
 *
 * A process is one of ours when the environment it was started with names one of the given
 * directories in GOCOVERDIR (the same directory as the process sees it, not the same string) and
 * when it carries coverage counters: in its executable, in a Go library (-buildmode=c-shared), or
 * in a plugin.  Where GOCOVERDIR leads nowhere (any more), or the environment was written over, its
 * meta-data decide: it is ours when one of the directories has their covmeta file.  Each program in
 * it gives one snapshot, an ordinary counter file, and the meta-data file that belongs to it where
 * no directory has it.
 *
 * What is read belongs to others and is hostile: everything is bounded and checked, and a process
 * that makes no sense is left out with its reason.
 */
#ifndef GOVERAGE_LIVE_LIVE_H
#define GOVERAGE_LIVE_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/directory/memory_files.h"

/* What is remembered about executables from request to request; for any number of threads. */
struct live_cache;

/* NULL when memory runs out. */
must_check struct live_cache *live_cache_new(void);
void live_cache_free(struct live_cache *cache);

enum live_state {
	LIVE_READ,	  /* its counters are in the snapshot */
	LIVE_DENIED,	  /* the system does not let this program read it */
	LIVE_GONE,	  /* it ended, or ran another program, before it was read */
	LIVE_UNSUPPORTED, /* built in a way that can't be read here */
};

/* One program in one process.  Strings are owned; NULL where a thing is not known. */
struct live_process {
	pid_t pid;	 /* as this program sees it */
	uint64_t ns_pid; /* as the process sees itself; 0 = not known */
	int64_t
	    start_ns; /* unix nanoseconds; up to 20 ms too early, never too late; 0 = not known */
	uint64_t start_ticks; /* with the pid, the identity of the process */
	int64_t read_ns;      /* unix nanoseconds at which reading its counters began */
	char *program;	      /* base name of the executable: goc's name of a service */
	char *executable;     /* path */
	char *library; /* path of the Go library with the counters; NULL = the executable itself */
	enum live_state state;
	char *reason;		    /* why not LIVE_READ, and what to do: one sentence */
	uint8_t mode;		    /* enum counter_mode */
	uint8_t granularity;	    /* enum counter_granularity */
	char *hash;		    /* of its meta-data: 32 hexadecimal digits, as in file names */
	uint64_t functions;	    /* instrumented */
	uint64_t functions_touched; /* executed so far */
	uint64_t slots_dropped;	    /* counters that fit no function: seen, and left out */
	/* from the build information */
	char *go_version, *main_path, *module_path, *module_version, *vcs_revision;
	bool vcs_modified;
	char *counters_file; /* name among the snapshots; NULL = none, or dropped again */
	bool wrote_meta;     /* covmeta.<hash> was made for it, too */
};

struct live_report {
	struct live_process *processes; /* owned; by pid */
	size_t n;
	size_t read, denied, gone, unsupported; /* processes[] by state */
	size_t dropped_snapshots; /* by live_reconcile: the process's own file has it all */
	size_t superseded_files;  /* by live_reconcile: own files that a snapshot contains */
};

#define LIVE_REPORT_INIT ((struct live_report){0})

/*
 * Read all processes of `dirs` (absolute paths) whose program is in `services` (base names of
 * executables; NULL or empty = all) into *report, and their snapshots into *out; NULL = only
 * report.  A process that can't be read is no error but a line of the report.
 *
 * Processes that may not be looked into are reported as denied only when all that everybody may see
 * says that they are ours: cgi/live/evidence.h has it.
 *
 * -1: ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_UNAVAILABLE, ERROR_INTERNAL (no /proc).
 */
must_check int live_snapshot(struct live_cache *cache, const struct string_list *dirs,
			     const struct string_list *services, struct memory_files *out,
			     const struct deadline *deadline, struct live_report *report,
			     struct error *err);

/* Has the process written this file itself, as far as the file's name tells? */
bool live_is_own_file(const struct live_process *process, const struct coverage_file *file);

/* Take line i out of the report. */
void live_report_remove(struct live_report *report, size_t i);

/*
 * Take away what would be counted twice.  `set` was listed after live_snapshot() had returned.
 *
 * A process may have written counter files of its own: at its end, or by
 * runtime/coverage.WriteCountersDir, which works in mode atomic alone.  A file is taken to be of
 * process P when its name has the hash of P's meta-data and P's pid (as P sees it), and a time that
 * is not before P's start.  It is recent when its time is not more than a second before P was read
 * (a process names its file before it fills it).  Then, counter by counter:
 *
 *   - A recent file that holds at least what the snapshot holds replaces it: the snapshot is
 * dropped.
 *   - A file that holds at most what the snapshot holds is contained in it, and leaves the set; one
 *     that is not recent does so in mode atomic alone.
 *   - Where neither contains the other, and the file is recent, and P has ended meanwhile, it is
 * P's last file, and the snapshot is dropped.
 *   - Otherwise the counters were cleared in between (runtime/coverage.ClearCounters), or the file
 *     is of somebody else: both stay, and their counts are added.
 *
 * In mode set nothing can be counted twice, and nothing is done.
 *
 * What this can't decide:
 *
 *   - Processes in different containers often have the same pid (1).  Where two of them run the
 * same program with the same directory in mode atomic, a file of one that has ended may be taken
 * for one that the other wrote, when it was written since that one's start and holds no more than
 *     its snapshot.  In mode count that can happen for a second after one of them has ended.  The
 *     counts are then too low by that file; but no block that was executed is ever shown as not
 *     executed, since whatever stays holds at least the same.
 *   - A clock that was set back while a process ran can hide the process's own earlier files from
 *     the rule: their counts are then added.
 *   - Files of processes that have ended are not compared with each other: one that wrote several
 *     counts as often as it wrote, which is what Go's own tool makes of them, too.
 *
 * -1: ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_UNAVAILABLE.
 */
must_check int live_reconcile(struct live_report *report, struct coverage_set *set,
			      struct memory_files *snapshots, const struct deadline *deadline,
			      struct error *err);

/*
 * Does the process that started then still run, whatever it runs?  True where that can't be told.
 */
bool live_is_running(pid_t pid, uint64_t start_ticks);

/* "read", "denied", "gone", "unsupported". */
const char *live_state_name(enum live_state state);

void live_report_free(struct live_report *report);

#define cleanup_live_report cleanup_with(live_report_free)

#endif
