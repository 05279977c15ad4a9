/*
 * Which processes may be ours: those whose GOCOVERDIR names a watched directory, and those of which
 * it can't be told what theirs names.
 */
#ifndef GOVERAGE_LIVE_FIND_DISCOVERY_H
#define GOVERAGE_LIVE_FIND_DISCOVERY_H

#include "cgi/live/process/boot_clock.h"
#include "cgi/live/process/environment.h"
#include "cgi/live/find/executable_cache.h"

struct candidate {
	pid_t pid;
	bool hidden;		  /* may not be looked into, but something says that it is ours */
	bool unplaced;		  /* ours only if its meta-data lie in a watched directory */
	struct process_stat stat; /* of one that is not hidden */
};

struct candidates {
	struct candidate *list; /* owned; by pid */
	size_t n;
};

#define CANDIDATES_INIT ((struct candidates){0})

/*
 * Look at every process but this one.  A child between fork and exec that still shares its parent's
 * memory is left out: its counters are the parent's.
 *
 * -1: FAULT_REQUEST; ERROR_INTERNAL as its class when there is no /proc.
 */
must_check int discover(struct candidates *candidates, int proc_fd,
			const struct watched_dirs *watched, struct live_cache *cache,
			const struct boot_clock *clock, const struct deadline *deadline,
			struct fault *fault);

void candidates_free(struct candidates *candidates);

#define cleanup_candidates cleanup_with(candidates_free)

#endif
