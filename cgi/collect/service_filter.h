/*
 * Choosing coverage files by the name of the program that they belong to (goc's `service`): the
 * base name of the executable of a running process; of counter files, that of argv[0], which stands
 * in them.
 */
#ifndef GOVERAGE_COLLECT_SERVICE_FILTER_H
#define GOVERAGE_COLLECT_SERVICE_FILTER_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/live/live.h"

/*
 * Keep in the set, in silence, what belongs to one of the services; an empty list keeps all.
 * Counters are kept when their program has one of the names: by the argv[0] in them, or, in files
 * without arguments (covdata merge writes such), by the import path of the main package.  Meta-data
 * are kept when any of their counters is kept, when a process that was read has them, or when they
 * have no counters at all and the name by the import path is one of the names (see program_name.h).
 *
 * known (NULL = nobody asks) has a place for each service, which becomes true where a file is kept
 * by that name.
 *
 * A name is compared byte by byte.  No file is opened for an empty list.  The order of the set
 * stays; all indexes are void.
 *
 * -1: ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_UNAVAILABLE, ERROR_INTERNAL for a directory that can't
 * be opened any more.
 */
must_check int service_filter_apply(struct coverage_set *set, const struct live_report *live,
				    const struct string_list *services, bool *known,
				    const struct deadline *deadline, struct error *err);

#endif
