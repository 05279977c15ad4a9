/* The order in which textfmt prints the units (statement blocks) of one source file. */
#ifndef GOVERAGE_FORMAT_UNIT_ORDER_H
#define GOVERAGE_FORMAT_UNIT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A statement block: what textfmt prints as START_LINE.START_COLUMN,END_LINE.END_COLUMN
 * STATEMENTS. */
struct covunit {
	uint32_t start_line, start_column, end_line, end_column, statements;
};

/* covdata's order: start line, END line, start column, end column, statements. */
int covunit_compare(const struct covunit *a, const struct covunit *b);

/*
 * Sort n indexes into units[].  Equal units keep their order, or are ordered by rank[index] where
 * rank is not NULL.  scratch has room for n.  It is fast where the input is nearly sorted, as it
 * comes from Go.
 */
void unit_order_sort(uint32_t *order, uint32_t *scratch, size_t n, const struct covunit *units,
		     const uint32_t *rank);

#endif
