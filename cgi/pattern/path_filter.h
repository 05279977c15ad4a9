/*
 * Which file paths stay in a profile: Go regexps, matched as regexp.MatchString does, unanchored.
 * First the cover patterns (a path must match one of them, if there are any), then the skip
 * patterns take away.  The only file that knows Oniguruma.
 */
#ifndef GOVERAGE_PATTERN_PATH_FILTER_H
#define GOVERAGE_PATTERN_PATH_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/error.h"
#include "cgi/base/string_list.h"

enum {
	PATH_FILTER_MAX_PATTERNS = 1000, /* of one request */
	PATH_FILTER_MAX_PATTERN = 4096,	 /* bytes of one pattern */
	PATH_FILTER_MAX_BYTES = 65536,	 /* of all patterns of one request */
};

struct path_filter; /* private; one thread at a time */

/* A path as it stands in a profile: not NUL-terminated, not owned, any bytes but a line feed. */
struct path_ref {
	const char *text;
	size_t len;
};

/* Once, before any thread starts. */
must_check int path_filter_start(struct error *err);

/*
 * Check and translate all patterns (nothing is compiled yet).  NULL with ERROR_BAD_REQUEST that
 * names the field, the pattern and the fault in Go's words, or which limit it is over.  The lists
 * are copied.
 */
must_check struct path_filter *path_filter_new(const struct string_list *cover,
					       const struct string_list *skip, struct error *err);

/* Does it let everything through (no pattern at all)? */
bool path_filter_is_empty(const struct path_filter *filter);

/*
 * Decide for n distinct paths: keep[i] tells whether path i stays.  At most 2 s of this thread's
 * CPU time are spent in all calls together, compiling included; beyond that, and at a pattern that
 * exceeds its limits on a path, -1 with ERROR_OVER_BUDGET, which names the pattern and the path.
 */
must_check int path_filter_apply(struct path_filter *filter, const struct path_ref *paths, size_t n,
				 bool *keep, struct error *err);

void path_filter_free(struct path_filter *filter);

static inline void cleanup_path_filter_fn(struct path_filter **filter)
{
	path_filter_free(*filter);
}
#define cleanup_path_filter cleanup_with(cleanup_path_filter_fn)

#endif
