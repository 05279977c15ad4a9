/* One process, read as a whole: its programs' snapshots, or the reason why there are none. */
#ifndef GOVERAGE_LIVE_SNAPSHOT_PROCESS_READER_H
#define GOVERAGE_LIVE_SNAPSHOT_PROCESS_READER_H

#include "cgi/live/find/discovery.h"
#include "cgi/live/live.h"
#include "cgi/live/process/boot_clock.h"

/* What all processes of one request have in common. */
struct reading {
	struct live_cache *cache;
	const struct watched_dirs *watched;
	const struct string_list *services; /* NULL or empty = all */
	int proc_fd;
	struct memory_files *out; /* for the snapshots; NULL = only report */
	const struct deadline *deadline;
	struct boot_clock clock;
	struct live_report *report;
	struct turn *turn; /* of this thread; NULL = unsupervised */
};

/*
 * Read a candidate and add what came of it to the report: a line for each program in it that
 * carries coverage, or one line with the reason.  Nothing at all for a process without coverage,
 * one that is not among the services, and one that ended before anything was known of it.  This is
 * a step of reading->turn, which the caller begins and ends.  -1 with FAULT_REQUEST.
 */
must_check int process_read(struct reading *reading, const struct candidate *candidate,
			    struct fault *fault);

/* A thread is stuck at this process: it can't be read.  -1 with FAULT_REQUEST. */
must_check int process_report_stuck(struct reading *reading, pid_t pid, struct fault *fault);

#endif
