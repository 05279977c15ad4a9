/*
 * What the coverage directories hold: as long as the kernel tells what happens in them (see
 * directory_watch.h), thousands of names need not be read, parsed and sorted again because of a few
 * that have come or gone.  For any number of threads.
 */
#ifndef GOVERAGE_LISTING_CACHE_H
#define GOVERAGE_LISTING_CACHE_H

#include <stddef.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/coverage/coverage_set.h"

struct listing_cache;

/* One that keeps at most some `budget` bytes; 0 = nothing.  NULL when memory runs out. */
must_check struct listing_cache *listing_cache_new(size_t budget);

/*
 * The same as coverage_set_list() for the directories of `gocoverdir`, which are open.  What the
 * set holds may be shared; it is the same content (coverage_set's `shared`) as that of a set that
 * is still there only where nothing at all has happened in the directories since that was read, to
 * the names or to the files.  -1 as coverage_set_list().
 */
must_check int listing_cache_read(struct listing_cache *cache, struct coverage_set *set,
				  const char *gocoverdir, const struct coverage_dirs *dirs,
				  const struct deadline *deadline, struct error *err);

void listing_cache_free(struct listing_cache *cache);

#endif
