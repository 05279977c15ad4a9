/* The snapshot of one program in one process: its meta-data and the entries of its counters. */
#ifndef GOVERAGE_LIVE_SNAPSHOT_PROGRAM_SNAPSHOT_H
#define GOVERAGE_LIVE_SNAPSHOT_PROGRAM_SNAPSHOT_H

#include "cgi/format/covcounters_writer.h"
#include "cgi/live/find/modules.h"
#include "cgi/live/process/environment.h"

struct program_snapshot {
	struct program *program;	/* owned */
	struct counter_entries entries; /* owned */
	uint64_t dropped;		/* slots that fit no function */
	int64_t read_ns;		/* unix nanoseconds at which reading the counters began */
};

#define PROGRAM_SNAPSHOT_INIT ((struct program_snapshot){0})

/*
 * Take it of the program that begins with module `head`: the list of its packages, then the
 * counters of the module and of the plugins it has loaded.  -1: any fault.
 */
must_check int program_snapshot_take(struct program_snapshot *snapshot, struct live_cache *cache,
				     const struct modules *modules, unsigned head,
				     const struct watched_dirs *watched,
				     const struct memory *memory, const struct deadline *deadline,
				     struct fault *fault);

/* Has a watched directory the meta-data file of the program, in the right size? */
bool program_has_meta(const struct program *program, const struct watched_dirs *watched);

void program_snapshot_free(struct program_snapshot *snapshot);

#define cleanup_program_snapshot cleanup_with(program_snapshot_free)

#endif
