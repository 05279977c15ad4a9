/*
 * The dialect of Oniguruma that patterns are written in: literals, `.`, `\O`, bracket classes of
 * single characters, ranges and \p{...}, `\A \z ^ $ \b \B`, `|`, `(?:`, `(?i:`, `(?-i:`, `(?!`, and
 * the quantifiers.  It is as small as can be: what Oniguruma does differently, and where it errs,
 * is not in it.
 */
#ifndef GOVERAGE_PATTERN_GO_PATTERN_EMIT_H
#define GOVERAGE_PATTERN_GO_PATTERN_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/pattern/go_pattern_tree.h"

enum { PATTERN_MAX_UNROLLED = 32768 }; /* bytes written by then, while a repetition is unrolled */

struct emitter {
	const struct pattern_tree *tree;
	struct buffer *out;
	size_t begin;	      /* of the pattern in out */
	bool folding;	      /* letter case is ignored at this place of the output */
	bool after_assertion; /* \b, \B, \z, ^ or $ has been written */
	unsigned unrolling;   /* repetitions that are being unrolled, one inside the other */
	bool too_large;
};

/*
 * Append the pattern whose tree is at root.  -1 with ERROR_BAD_REQUEST when a repetition that has
 * to be unrolled is too large, or with ERROR_UNAVAILABLE when memory runs out.
 */
must_check int go_pattern_emit(const struct pattern_tree *tree, uint32_t root, struct buffer *out,
			       struct error *err);

/* The leaves, each written as one item that a quantifier may follow. */
void emit_any(struct emitter *e, const struct node *node);
void emit_never(struct emitter *e);
void emit_literal(struct emitter *e, const struct node *node);
void emit_class(struct emitter *e, const struct node *node);

#endif
