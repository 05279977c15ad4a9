/*
 * The counters of one program in one process, copied and walked until the copies go together: see
 * cgi/live/snapshot/counter_walk.h for what that takes.
 */
#ifndef GOVERAGE_LIVE_SNAPSHOT_COUNTER_COPY_H
#define GOVERAGE_LIVE_SNAPSHOT_COUNTER_COPY_H

#include "cgi/format/covcounters_writer.h"
#include "cgi/live/find/modules.h"

enum { COUNTER_AREA_MAX = 64 << 20 }; /* bytes of one module */

/*
 * Append the entries of one module's counters to `entries`; *dropped grows by the slots that fit no
 * function.  -1: FAULT_UNSETTLED when the copies never went together, or when a package has
 * registered since the program was made; FAULT_UNSUPPORTED, FAULT_GONE, FAULT_DENIED,
 * FAULT_REQUEST.
 */
must_check int counter_copy(const struct moduledata *module, const struct program *program,
			    const struct memory *memory, const struct deadline *deadline,
			    struct counter_entries *entries, uint64_t *dropped,
			    struct fault *fault);

/* Are all counters of the module zero, so that none of its functions has run?  1, 0, -1 with a
 * fault. */
must_check int counter_area_is_zero(const struct moduledata *module, const struct memory *memory,
				    struct fault *fault);

#endif
