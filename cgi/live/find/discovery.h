/*
 * Which processes may be ours: those whose GOCOVERDIR names a watched directory, and those of which
 * it can't be told what theirs names.
 */
#ifndef GOVERAGE_LIVE_FIND_DISCOVERY_H
#define GOVERAGE_LIVE_FIND_DISCOVERY_H

#include "cgi/live/find/executable_cache.h"
#include "cgi/live/process/boot_clock.h"
#include "cgi/live/process/environment.h"
#include "cgi/live/process/steps.h"

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

/* The processes that there are, and how far they have been looked at. */
struct process_ids {
	struct step *list; /* owned */
	size_t n, next;
	bool listed;
};

#define PROCESS_IDS_INIT ((struct process_ids){0})

void process_ids_free(struct process_ids *ids);

/*
 * Look at every process but this one, from where *ids says; those at which a thread is stuck are
 * left out (see cgi/live/process/steps.h), and `stuck` is told of each.  A child between fork and
 * exec that still shares its parent's memory is left out: its counters are the parent's.
 *
 * -1: FAULT_REQUEST; ERROR_INTERNAL as its class when there is no /proc.  Where the turn is over,
 * ERROR_CANCELLED: nothing may be touched any more.
 */
struct discovery {
	int proc_fd;
	const struct watched_dirs *watched;
	struct live_cache *cache;
	const struct boot_clock *clock;
	const struct deadline *deadline;
	struct turn *turn; /* NULL = unsupervised */
	struct process_ids *ids;
	struct candidates *candidates;
	/* of a process at which a thread is stuck; -1 as above */
	int (*stuck)(void *context, pid_t pid, struct fault *fault);
	void *context;
};
must_check int discover(const struct discovery *discovery, struct fault *fault);

void candidates_free(struct candidates *candidates);

#define cleanup_candidates cleanup_with(candidates_free)

#endif
