/* Making a baseline of what an answer is made of. */
#ifndef GOVERAGE_BASELINE_BASELINE_MAKE_H
#define GOVERAGE_BASELINE_BASELINE_MAKE_H

#include <stdint.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/baseline/state_dir.h"
#include "cgi/collect/collect.h"

/* What came of it. */
struct baseline_made {
	int64_t set_ns;	  /* its time */
	size_t n_skipped; /* files that are not in it, since they are damaged or can't be read */
};

/*
 * Make the collection, which was collected for the selection, the latest baseline of its coverage
 * directories.  The baseline before it stays as it is for what is not chosen: its files are taken
 * over.  With addresses the counters in memory alone are taken, not what the processes have
 * written. The caller holds the lock of the state directory.
 *
 * -1, and the baseline before it still counts: ERROR_INTERNAL with what to do, ERROR_UNAVAILABLE,
 * ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int baseline_make(struct baseline_made *made, const struct state_dir *state,
			     const struct collection *collection, const struct selection *selection,
			     const struct deadline *deadline, struct error *err);

#endif
