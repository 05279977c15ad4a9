/*
 * Go's regexp syntax, read as regexp/syntax (Perl flags) reads it, and written again in a small
 * dialect of Oniguruma that means the same in an unanchored search, with two exceptions: (?m)^ does
 * not match behind a line feed that ends the text; and characters that are younger than Go's or
 * Oniguruma's Unicode tables may differ in \p{...} and (?i).  What Go refuses is refused.
 */
#ifndef GOVERAGE_PATTERN_GO_PATTERN_H
#define GOVERAGE_PATTERN_GO_PATTERN_H

#include <stddef.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"

/*
 * Translate the pattern of len bytes; the result is appended to *out.  -1 with ERROR_BAD_REQUEST
 * and Go's own wording of the fault (such as: missing closing ]: `[a`), without the pattern itself
 * in front; or ERROR_UNAVAILABLE when memory runs out.
 */
must_check int go_pattern_translate(const char *pattern, size_t len, struct buffer *out,
				    struct error *err);

#endif
