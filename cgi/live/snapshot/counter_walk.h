/*
 * The counters in the memory of a running program.
 *
 * Each instrumented function has one slot, an array of 32-bit words: the number n of its counters,
 * the identifier of its package, its index in the package, then the n counters.  All of it is zero
 * until the function runs for the first time; then the three words of the header are stored, and
 * after them the counters move.  A slot begins at a multiple of 16 bytes; words that are zero
 * between slots are padding.
 *
 * The program is not stopped, so the words are copied while they change.  What makes that harmless:
 *
 *   - The area is copied twice, one copy after the other.  A counter that is not zero in the first
 * copy proves that its slot's header was complete before the second one.  Functions are chosen by
 * the first copy; headers and counters are taken from the second.
 *   - A function that ran for the first time between the copies is left to the next snapshot.
 *   - A slot whose header was copied half stored, with counters behind it already moving, is
 * recognised (the second copy has a header where the first has none, or another one): new copies
 * are needed.
 *   - Every slot that is taken is checked against the meta-data: the package exists, it has that
 *     function, and the function has that many counters.
 */
#ifndef GOVERAGE_LIVE_SNAPSHOT_COUNTER_WALK_H
#define GOVERAGE_LIVE_SNAPSHOT_COUNTER_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/format/covcounters_writer.h"
#include "cgi/live/go/program.h"

enum {
	SLOT_HEADER_WORDS = 3,
	SLOT_ALIGNMENT_WORDS = 4, /* 16 bytes */
};

struct counter_copies {
	const uint32_t *first,
	    *second; /* words of the machine; little-endian on all that are supported */
	size_t
	    words; /* of each copy; the first one lies at a multiple of 16 bytes in the process */
};

struct walk_result {
	uint64_t dropped;     /* slots that don't fit the meta-data */
	bool unsettled;	      /* the copies don't go together: make new ones */
	bool unknown_package; /* a package that is not in the list: the list has grown meanwhile */
};

/*
 * Append the entries of all functions that have run to `out`, in the order of memory, which is the
 * order in which the program itself would write them.  Never fails; *result tells what to make of
 * it, and `out` turns failed without memory.  When result->unsettled is set, `out` holds nothing of
 * use.
 */
void counter_walk(const struct counter_copies *copies, const struct program *program,
		  struct counter_entries *out, struct walk_result *result);

#endif
