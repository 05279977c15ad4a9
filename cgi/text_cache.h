/*
 * The last few texts, by the digest of what they say: an unchanged profile is not written twice.
 * Each is an anonymous memory file; for any number of threads.
 */
#ifndef GOVERAGE_TEXT_CACHE_H
#define GOVERAGE_TEXT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"

struct text_cache;

/* One that keeps at most `budget` bytes; 0 = nothing.  NULL when memory runs out. */
must_check struct text_cache *text_cache_new(size_t budget);

/*
 * A descriptor of the text with this digest, which the caller owns, and the name of the engine that
 * made it; -1 when it is not there.
 */
int text_cache_find(struct text_cache *cache, const char *digest, const char **engine);

/*
 * Keep the text of `size` bytes in memory file fd, which stays the caller's, and the name of its
 * engine (a constant); the oldest go.
 */
void text_cache_keep(struct text_cache *cache, const char *digest, int fd, uint64_t size,
		     const char *engine);

void text_cache_free(struct text_cache *cache);

#endif
