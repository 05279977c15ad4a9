/*
 * The processes that this responder has read, so that one which goes without leaving its counters
 * is missed.  Bounded: those that were read least recently are forgotten.  For any number of
 * threads.
 */
#ifndef GOVERAGE_COLLECT_SEEN_PROCESSES_H
#define GOVERAGE_COLLECT_SEEN_PROCESSES_H

#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/collect/endings.h"

enum { SEEN_PROCESSES = 256 };

/* NULL when memory runs out. */
must_check struct seen_processes *seen_processes_new(void);
void seen_processes_free(struct seen_processes *seen);

/* One that has gone without its counters; valid during the call. */
typedef int seen_lost(void *context, const char *hash, const char *name);

/*
 * Remember the processes of view->live that were read, and call `lost` for each one of the same
 * directories that was read before, is no longer there and has left no counters: its meta-data
 * must have been in the set ever since; where it was not, somebody has cleared the directory, and
 * the process is forgotten.  -1 when `lost` returned that.
 */
must_check int seen_processes_compare(struct seen_processes *seen, const struct endings_view *view,
				      seen_lost *lost, void *context);

#endif
