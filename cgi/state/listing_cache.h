/*
 * What the coverage directories hold: as long as the kernel tells what happens in them (see
 * directory_watch.h), thousands of names need not be read, parsed and sorted again because of a few
 * that have come or gone.  For any number of threads.
 */
#ifndef GOVERAGE_STATE_LISTING_CACHE_H
#define GOVERAGE_STATE_LISTING_CACHE_H

#include <stddef.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/directory/coverage_set.h"

struct listing_cache;

/* One that keeps at most some `budget` bytes; 0 = nothing.  NULL when memory runs out. */
must_check struct listing_cache *listing_cache_new(size_t budget);

/*
 * The same as coverage_set_list() for the directories of `gocoverdir`, which are open; what the set
 * holds may be shared.  Its generation is that of an earlier one only where nothing at all has
 * happened in the directories in between, to the names or to the files; and nothing has happened to
 * a file since the generation that it has as `changed`, as far as its own directory can tell: one
 * that is a link, or has a second name elsewhere, must be looked at all the same.  What is known
 * only without a cache, or without a budget, is 0.  -1 as coverage_set_list().
 */
must_check int listing_cache_read(struct listing_cache *cache, struct coverage_set *set,
				  const char *gocoverdir, const struct coverage_dirs *dirs,
				  const struct deadline *deadline, struct error *err);

void listing_cache_free(struct listing_cache *cache);

#endif
