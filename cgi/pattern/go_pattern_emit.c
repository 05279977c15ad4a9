#include "cgi/pattern/go_pattern_emit.h"

/* Where an item stands: that decides whether it needs a group around it. */
enum place { PLACE_BRANCH, PLACE_SEQUENCE, PLACE_QUANTIFIED };

static void emit(struct emitter *e, uint32_t index, enum place place);

static const struct node *at(const struct emitter *e, uint32_t index)
{
	return node_at(e->tree, index);
}

static unsigned current_case(const struct emitter *e)
{
	return e->folding ? CASE_FOLDED : CASE_EXACT;
}

/* Do all leaves with a case need the one that is not in force? */
static bool wants_other_case(const struct emitter *e, const struct node *node)
{
	return node->kind != NODE_EMPTY && node->case_needs &&
	       !(node->case_needs & current_case(e));
}

static void emit_assertion(struct emitter *e, enum assertion assertion)
{
	static const char *const text[] = {
	    [ASSERT_TEXT_BEGIN] = "\\A",    [ASSERT_TEXT_END] = "\\z",
	    [ASSERT_LINE_BEGIN] = "^",	    [ASSERT_LINE_END] = "$",
	    [ASSERT_WORD_BOUNDARY] = "\\b", [ASSERT_NO_WORD_BOUNDARY] = "\\B",
	};

	buffer_puts(e->out, text[assertion]);
	if (assertion != ASSERT_TEXT_BEGIN)
		e->after_assertion = true;
}

static void emit_alternate(struct emitter *e, const struct node *node)
{
	for (uint32_t i = node->first; i; i = at(e, i)->next) {
		if (i != node->first)
			buffer_putc(e->out, '|');
		emit(e, i, PLACE_BRANCH);
	}
}

/* Neighbours that need the other case share one group. */
static uint32_t emit_other_case_run(struct emitter *e, uint32_t i)
{
	const unsigned unwanted = current_case(e);

	e->folding = !e->folding;
	buffer_puts(e->out, e->folding ? "(?i:" : "(?-i:");
	for (; i && !(at(e, i)->case_needs & unwanted); i = at(e, i)->next)
		emit(e, i, PLACE_SEQUENCE);
	buffer_putc(e->out, ')');
	e->folding = !e->folding;
	return i;
}

static void emit_concat(struct emitter *e, const struct node *node)
{
	uint32_t i = node->first;

	while (i && !e->too_large) {
		if (wants_other_case(e, at(e, i))) {
			i = emit_other_case_run(e, i);
		} else {
			emit(e, i, PLACE_SEQUENCE);
			i = at(e, i)->next;
		}
	}
}

/*
 * Oniguruma refuses to repeat an assertion, also where it is only one branch of what is repeated,
 * as in
 * (^|/)+.  It does not look into a group that has options, though.
 */
static bool is_refused_as_target(const struct emitter *e, const struct node *node)
{
	uint32_t i;

	switch (node->kind) {
	case NODE_ASSERTION:
		return true;
	case NODE_CONCAT:
		for (i = node->first; i; i = at(e, i)->next)
			if (at(e, i)->kind != NODE_EMPTY && !is_refused_as_target(e, at(e, i)))
				return false;
		return true;
	case NODE_ALTERNATE:
		for (i = node->first; i; i = at(e, i)->next)
			if (is_refused_as_target(e, at(e, i)))
				return true;
		return false;
	default:
		return false;
	}
}

static void emit_counts(struct emitter *e, uint32_t min, uint32_t max)
{
	if (max == REPEAT_FOREVER && min < 2)
		buffer_putc(e->out, min ? '+' : '*');
	else if (max == REPEAT_FOREVER)
		buffer_printf(e->out, "{%u,}", (unsigned)min);
	else if (min == 0 && max == 1)
		buffer_putc(e->out, '?');
	else if (min == max && min != 1)
		buffer_printf(e->out, "{%u}", (unsigned)min);
	else if (max > 1)
		buffer_printf(e->out, "{%u,%u}", (unsigned)min, (unsigned)max);
}

/*
 * Oniguruma leaves a counted loop for good after an idle round.  Where an assertion decides whether
 * a round may be idle, as in (_|^){2}, that round may have to come first, so the rounds are written
 * out.
 */
static void emit_unrolled(struct emitter *e, const struct node *node)
{
	e->unrolling++;
	for (uint32_t i = 0; i < node->min && !e->too_large; i++)
		emit(e, node->first, PLACE_SEQUENCE);
	if (node->max > node->min) {
		emit(e, node->first, PLACE_QUANTIFIED);
		emit_counts(e, 0, node->max == REPEAT_FOREVER ? node->max : node->max - node->min);
	}
	e->unrolling--;
}

static void emit_repeat(struct emitter *e, const struct node *node)
{
	if (at(e, node->first)->empty == EMPTY_BY_ASSERTION && node->min > 1) {
		emit_unrolled(e, node);
		return;
	}
	emit(e, node->first, PLACE_QUANTIFIED);
	emit_counts(e, node->min, node->max);
}

static void emit_content(struct emitter *e, const struct node *node)
{
	switch (node->kind) {
	case NODE_EMPTY:
		break;
	case NODE_NEVER:
		emit_never(e);
		break;
	case NODE_LITERAL:
		emit_literal(e, node);
		break;
	case NODE_ANY:
		emit_any(e, node);
		break;
	case NODE_CLASS:
		emit_class(e, node);
		break;
	case NODE_ASSERTION:
		emit_assertion(e, node->assertion);
		break;
	case NODE_CONCAT:
		emit_concat(e, node);
		break;
	case NODE_ALTERNATE:
		emit_alternate(e, node);
		break;
	case NODE_REPEAT:
		emit_repeat(e, node);
		break;
	}
}

static bool needs_group(const struct node *node, enum place place)
{
	switch (node->kind) {
	case NODE_ALTERNATE:
		return place != PLACE_BRANCH;
	case NODE_CONCAT:
	case NODE_REPEAT:
	case NODE_EMPTY:
	case NODE_ASSERTION:
		return place == PLACE_QUANTIFIED;
	default:
		return false;
	}
}

/* The node at index, in a group where its place or its case asks for one. */
static void emit(struct emitter *e, uint32_t index, enum place place)
{
	const struct node *node = at(e, index);
	const bool switches = wants_other_case(e, node);
	const bool refused = place == PLACE_QUANTIFIED && is_refused_as_target(e, node);
	const bool group = switches || refused || needs_group(node, place);

	if (e->too_large)
		return;
	if (e->unrolling && e->out->len - e->begin > PATTERN_MAX_UNROLLED) {
		e->too_large = true;
		return;
	}
	e->folding ^= switches;
	if (switches || refused)
		buffer_puts(e->out, e->folding ? "(?i:" : "(?-i:");
	else if (group)
		buffer_puts(e->out, "(?:");
	emit_content(e, node);
	if (group)
		buffer_putc(e->out, ')');
	e->folding ^= switches;
}

int go_pattern_emit(const struct pattern_tree *tree, uint32_t root, struct buffer *out,
		    struct error *err)
{
	struct emitter e = {.tree = tree, .out = out, .begin = out->len};

	emit(&e, root, PLACE_BRANCH);
	if (e.too_large)
		return error_set(err, ERROR_BAD_REQUEST,
				 "expression too large: a repetition of an assertion, such as "
				 "(^|x){1000}, has to be written out in more than %d bytes",
				 PATTERN_MAX_UNROLLED);
	return out->failed ? error_no_memory(err) : 0;
}
