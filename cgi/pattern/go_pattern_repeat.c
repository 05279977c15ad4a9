#include "cgi/pattern/go_pattern_parse.h"

struct counts {
	uint32_t min, max;
	bool too_large; /* one of them is beyond PATTERN_MAX_COUNT */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A count without leading zeros at *at; one that is too large is read to its end. */
static bool read_count(const struct go_parser *p, size_t *at, struct counts *counts,
		       uint32_t *value)
{
	const size_t from = *at;

	*value = 0;
	while (*at < p->len && is_digit(p->text[*at])) {
		*value = *value * 10 + (uint32_t)(p->text[(*at)++] - '0');
		if (*value > PATTERN_MAX_COUNT) {
			counts->too_large = true;
			*value = PATTERN_MAX_COUNT;
		}
	}
	return *at > from && (*at == from + 1 || p->text[from] != '0');
}

/* {n}, {n,} or {n,m} at p->at; false, and nothing read, where it is none of them. */
static bool read_counts(struct go_parser *p, struct counts *counts)
{
	size_t at = p->at + 1;

	counts->too_large = false;
	if (!read_count(p, &at, counts, &counts->min))
		return false;
	counts->max = counts->min;
	if (at < p->len && p->text[at] == ',') {
		at++;
		counts->max = REPEAT_FOREVER;
		if (at < p->len && p->text[at] != '}' && !read_count(p, &at, counts, &counts->max))
			return false;
	}
	if (at == p->len || p->text[at] != '}')
		return false;
	p->at = at + 1;
	return true;
}

/* Read the operator itself: 1, or 0 where { is a literal, or -1. */
static int read_operator(struct go_parser *p, struct counts *counts)
{
	const size_t from = p->at;

	switch (p->text[p->at]) {
	case '*':
		*counts = (struct counts){0, REPEAT_FOREVER, false};
		break;
	case '+':
		*counts = (struct counts){1, REPEAT_FOREVER, false};
		break;
	case '?':
		*counts = (struct counts){0, 1, false};
		break;
	default:
		if (!read_counts(p, counts))
			return 0;
		if (counts->too_large || counts->min > counts->max)
			return go_fault(p, "invalid repeat count", from, p->at);
		return 1;
	}
	p->at++;
	return 1;
}

static int repeat(struct go_parser *p, size_t from, const struct counts *counts)
{
	const uint32_t index = p->open[p->depth].items.last;
	const struct node *node;

	if (!index)
		return go_fault(p, "missing argument to repetition operator", from, p->at);
	node_repeat(&p->tree, index, counts->min, counts->max);
	node = node_at(&p->tree, index);
	if (p->text[from] == '{' && node->copies > PATTERN_MAX_COUNT &&
	    node->size <= PATTERN_GO_MAX_SIZE)
		return go_fault(p, "invalid repeat count", from, p->at);
	return check_limits(p, index);
}

int read_quantifier(struct go_parser *p, size_t previous)
{
	const size_t from = p->at;
	struct counts counts;
	int found = read_operator(p, &counts);

	if (found < 0)
		return -1;
	if (!found) {
		p->at++;
		add_literal(p, '{');
		return 0;
	}
	if (looking_at(p, "?"))
		p->at++;
	if (previous != NO_QUANTIFIER)
		return go_fault(p, "invalid nested repetition operator", previous, p->at);
	p->quantifier = from;
	return repeat(p, from, &counts);
}
