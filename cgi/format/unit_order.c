#include "cgi/format/unit_order.h"

#include <string.h>

enum { INSERTION_RUN = 16 }; /* shorter runs are sorted by insertion */

struct sorting {
	const struct covunit *units;
	const uint32_t *rank; /* may be NULL */
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int covunit_compare(const struct covunit *a, const struct covunit *b)
{
	int order = compare_u64((uint64_t)a->start_line << 32 | a->end_line,
				(uint64_t)b->start_line << 32 | b->end_line);

	if (!order)
		order = compare_u64((uint64_t)a->start_column << 32 | a->end_column,
				    (uint64_t)b->start_column << 32 | b->end_column);
	return order ? order : compare_u64(a->statements, b->statements);
}

static inline bool is_before(const struct sorting *s, uint32_t a, uint32_t b)
{
	const struct covunit *x = &s->units[a], *y = &s->units[b];
	int order;

	if (x->start_line != y->start_line) /* nearly always */
		return x->start_line < y->start_line;
	order = covunit_compare(x, y);
	return order < 0 || (order == 0 && s->rank && s->rank[a] < s->rank[b]);
}

static void insertion_sort(const struct sorting *s, uint32_t *order, size_t n)
{
	size_t i, hole;

	for (i = 1; i < n; i++) {
		uint32_t moving = order[i];

		for (hole = i; hole > 0 && is_before(s, moving, order[hole - 1]); hole--)
			order[hole] = order[hole - 1];
		order[hole] = moving;
	}
}

/* Merge the sorted halves order[0..half) and order[half..n): only what is out of place is moved. */
static void merge(const struct sorting *s, uint32_t *order, uint32_t *scratch, size_t half,
		  size_t n)
{
	size_t left = 0, right = half, out = 0;

	if (!is_before(s, order[half], order[half - 1]))
		return;
	memcpy(scratch, order, half * sizeof *scratch);
	while (left < half && right < n)
		order[out++] =
		    is_before(s, order[right], scratch[left]) ? order[right++] : scratch[left++];
	memcpy(order + out, scratch + left, (half - left) * sizeof *scratch);
}

void unit_order_sort(uint32_t *order, uint32_t *scratch, size_t n, const struct covunit *units,
		     const uint32_t *rank)
{
	struct sorting s = {units, rank};
	size_t width, at;

	for (at = 0; at < n; at += INSERTION_RUN)
		insertion_sort(&s, order + at, n - at < INSERTION_RUN ? n - at : INSERTION_RUN);
	for (width = INSERTION_RUN; width < n; width *= 2)
		for (at = 0; n - at > width; at += 2 * width) {
			size_t both = n - at < 2 * width ? n - at : 2 * width;

			merge(&s, order + at, scratch, width, both);
			if (both < 2 * width)
				break;
		}
}
