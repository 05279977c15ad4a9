/* What is said to a selection that stands for nothing: which entries these are, and what there
 * is. */
#ifndef GOVERAGE_COLLECT_UNKNOWN_SELECTION_H
#define GOVERAGE_COLLECT_UNKNOWN_SELECTION_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/collect/selection.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/live/live.h"

/*
 * Look at everything once more, this time at the names alone: what one list has left out may be known
 * to another one.  is_empty: nothing is chosen.  cache: NULL = running processes are not looked at.
 * 0: all is known, and something is chosen; -1: ERROR_NOT_FOUND, or what kept it from looking.
 */
must_check int unknown_selection(struct selection *selection, bool is_empty,
				 struct live_cache *cache, const struct coverage_dirs *dirs,
				 const struct deadline *deadline, struct error *err);

#endif
