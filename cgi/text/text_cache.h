/*
 * The last few texts, by a name that says what is in them, STATE-KIND: an unchanged profile is not
 * written twice. For any number of threads.
 */
#ifndef GOVERAGE_TEXT_TEXT_CACHE_H
#define GOVERAGE_TEXT_TEXT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/text/profile_text.h"

struct text_cache;

enum { TEXT_CACHE_NAME_MAX = 63 }; /* bytes */

/* One that keeps at most `budget` bytes; 0 = nothing.  NULL when memory runs out. */
must_check struct text_cache *text_cache_new(size_t budget);

/* Does it keep anything at all? */
bool text_cache_keeps(const struct text_cache *cache);

/*
 * The text of this name, of which the caller becomes a user, and the name of the engine that
 * made it; NULL when it is not there.
 */
struct profile_text *text_cache_find(struct text_cache *cache, const char *name,
				     const char **engine);

/*
 * Keep the text under the name, as one of its users, with its engine (a constant); the oldest go.
 * One that is too long is not kept.  `packages` tells the texts that show the same lines (see
 * covprofile_derived); NULL = its bytes can't be written.
 */
void text_cache_keep(struct text_cache *cache, const char *name, struct profile_text *text,
		     const char *engine, const void *packages);

/*
 * Keep no longer what shows an earlier state: the text of these packages under a name of the same
 * kind as `name`.  The caller becomes its only user; NULL where there is none, or others use it.
 */
struct profile_text *text_cache_retire(struct text_cache *cache, const char *name,
				       const void *packages);

void text_cache_free(struct text_cache *cache);

#endif
