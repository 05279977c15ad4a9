#include "cgi/pattern/go_pattern_set.h"

enum {
	SURROGATE_FIRST = 0xd800,
	SURROGATE_LAST = 0xdfff,
	LONG_S = 0x17f,	      /* folds to s */
	KELVIN_SIGN = 0x212a, /* folds to k */
	SHARP_S = 0xdf,
	CAPITAL_SHARP_S = 0x1e9e,
	GREEK_IOTA_FIRST = 0x1f80, /* Greek letters with ypogegrammeni, in six blocks of eight */
	GREEK_IOTA_LAST = 0x1faf,
};

static bool reserve_one(struct code_set *set)
{
	size_t cap = set->cap ? 2 * set->cap : 16;
	struct code_range *ranges;

	if (set->n < set->cap)
		return true;
	ranges = realloc(set->ranges, cap * sizeof *ranges);
	if (!ranges) {
		set->failed = true;
		return false;
	}
	set->ranges = ranges;
	set->cap = cap;
	return true;
}

void code_set_add(struct code_set *set, uint32_t lo, uint32_t hi)
{
	if (reserve_one(set))
		set->ranges[set->n++] = (struct code_range){lo, hi};
}

void code_set_add_all(struct code_set *set, const struct code_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		code_set_add(set, ranges[i].lo, ranges[i].hi);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct code_range *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->hi < y->hi ? -1 : x->hi > y->hi;
}

static struct code_range without_surrogate_ends(struct code_range r)
{
	if (r.lo >= SURROGATE_FIRST && r.lo <= SURROGATE_LAST)
		r.lo = SURROGATE_LAST + 1;
	if (r.hi >= SURROGATE_FIRST && r.hi <= SURROGATE_LAST)
		r.hi = SURROGATE_FIRST - 1;
	return r;
}

void code_set_normalize(struct code_set *set)
{
	struct code_range r;
	size_t kept = 0;

	if (set->n)
		qsort(set->ranges, set->n, sizeof *set->ranges, compare_ranges);
	for (size_t i = 0; i < set->n; i++) {
		r = without_surrogate_ends(set->ranges[i]);
		if (r.lo > r.hi)
			continue;
		if (kept && r.lo <= set->ranges[kept - 1].hi + 1) {
			if (r.hi > set->ranges[kept - 1].hi)
				set->ranges[kept - 1].hi = r.hi;
			continue;
		}
		set->ranges[kept++] = r;
	}
	set->n = kept;
}

void code_set_add_complement(struct code_set *set, const struct code_range *ranges, size_t n)
{
	uint32_t next = 0;

	for (size_t i = 0; i < n; i++) {
		if (ranges[i].lo > next)
			code_set_add(set, next, ranges[i].lo - 1);
		next = ranges[i].hi + 1;
	}
	if (next <= MAX_CODE_POINT)
		code_set_add(set, next, MAX_CODE_POINT);
}

/* Add to set the part of r that lies in first to last, moved by shift. */
static void add_shifted(struct code_set *set, struct code_range r, uint32_t first, uint32_t last,
			int32_t shift)
{
	uint32_t lo = r.lo > first ? r.lo : first;
	uint32_t hi = r.hi < last ? r.hi : last;

	if (lo <= hi)
		code_set_add(set, lo + (uint32_t)shift, hi + (uint32_t)shift);
}

static bool is_member(const struct code_range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].lo && c <= ranges[i].hi)
			return true;
	return false;
}

void code_set_add_folded_complement(struct code_set *set, const struct code_range *ranges, size_t n)
{
	cleanup_code_set struct code_set folded = CODE_SET_INIT;

	code_set_add_all(&folded, ranges, n);
	for (size_t i = 0; i < n; i++) {
		add_shifted(&folded, ranges[i], 'A', 'Z', 'a' - 'A');
		add_shifted(&folded, ranges[i], 'a', 'z', 'A' - 'a');
	}
	if (is_member(folded.ranges, folded.n, 's'))
		code_set_add(&folded, LONG_S, LONG_S);
	if (is_member(folded.ranges, folded.n, 'k'))
		code_set_add(&folded, KELVIN_SIGN, KELVIN_SIGN);
	code_set_normalize(&folded);
	code_set_add_complement(set, folded.ranges, folded.n);
	set->failed |= folded.failed;
}

uint32_t case_counterpart(uint32_t c)
{
	if (c >= GREEK_IOTA_FIRST && c <= GREEK_IOTA_LAST)
		return c ^ 8;
	switch (c) {
	case SHARP_S:
		return CAPITAL_SHARP_S;
	case CAPITAL_SHARP_S:
		return SHARP_S;
	case 0x1fb3:
	case 0x1fc3:
	case 0x1ff3:
		return c + 9;
	case 0x1fbc:
	case 0x1fcc:
	case 0x1ffc:
		return c - 9;
	default:
		return c;
	}
}

void code_set_add_counterparts(struct code_set *set)
{
	static const uint32_t others[] = {SHARP_S, CAPITAL_SHARP_S, 0x1fb3, 0x1fbc,
					  0x1fc3,  0x1fcc,	    0x1ff3, 0x1ffc};
	const size_t n = set->n;

	for (uint32_t c = GREEK_IOTA_FIRST; c <= GREEK_IOTA_LAST; c++)
		if (is_member(set->ranges, n, c))
			code_set_add(set, case_counterpart(c), case_counterpart(c));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (is_member(set->ranges, n, others[i]))
			code_set_add(set, case_counterpart(others[i]), case_counterpart(others[i]));
}

void code_set_free(struct code_set *set)
{
	free(set->ranges);
	*set = CODE_SET_INIT;
}
