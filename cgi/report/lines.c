#include "cgi/report/lines.h"

#include <stdlib.h>
#include <string.h>

int line_sweep_reserve(struct line_sweep *sweep, size_t n, struct error *err)
{
	if (n <= sweep->cap && sweep->cap)
		return 0;
	line_sweep_free(sweep);
	sweep->spans = malloc((n + 1) * sizeof *sweep->spans);
	sweep->heap = malloc((n + 1) * sizeof *sweep->heap);
	sweep->ends = malloc((n + 1) * sizeof *sweep->ends);
	if (!sweep->spans || !sweep->heap || !sweep->ends)
		return error_no_memory(err);
	sweep->cap = n;
	return 0;
}

/* --- the lines of a block -------------------------------------------------------------------- */

static inline uint64_t position(uint32_t line, uint32_t column)
{
	return (uint64_t)line << 32 | column;
}

static inline bool has_lines(const struct covunit *unit)
{
	return unit->statements > 0 && position(unit->start_line, unit->start_column) <
					   position(unit->end_line, unit->end_column);
}

static inline uint32_t last_line(const struct covunit *unit)
{
	return unit->end_line - (unit->end_line > unit->start_line && unit->end_column <= 1);
}

/* Where a block starts in column 1 nothing on that line is before it. */
static inline bool can_be_cut(const struct covunit *unit)
{
	return has_lines(unit) && unit->start_column > 1 && last_line(unit) > unit->start_line;
}

static int compare_positions(const void *a_, const void *b_)
{
	const uint64_t *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
}

void line_sweep_find_cuts(struct line_sweep *sweep, const struct line_blocks *blocks, uint8_t *cuts,
			  size_t first_bit)
{
	const struct unit_rows *rows = blocks->rows;
	size_t n = blocks->end - blocks->from, i;
	bool sorted = true;

	for (i = 0; i < n; i++) {
		const struct covunit *unit = &rows->units[rows->order[blocks->from + i]];

		sweep->ends[i] = position(unit->end_line, unit->end_column);
		sorted &= i == 0 || sweep->ends[i - 1] <= sweep->ends[i];
	}
	if (!sorted)
		qsort(sweep->ends, n, sizeof *sweep->ends, compare_positions);
	for (i = blocks->from; i < blocks->end; i++) {
		const struct covunit *unit = &rows->units[rows->order[i]];
		uint64_t start = position(unit->start_line, unit->start_column);
		size_t bit = first_bit + rows->order[i];

		if (can_be_cut(unit) &&
		    bsearch(&start, sweep->ends, n, sizeof *sweep->ends, compare_positions))
			cuts[bit / 8] |= (uint8_t)(1 << bit % 8);
	}
}

/* --- a walk ---------------------------------------------------------------------------------- */

static void add_span(struct line_sweep *sweep, const struct line_blocks *blocks, uint32_t block,
		     bool cut)
{
	const struct covunit *unit = &blocks->rows->units[block];
	uint32_t count = blocks->rows->counters[block];
	struct line_span span = {unit->start_line + cut, last_line(unit),
				 blocks->once ? count != 0 : count};

	if (span.first == 0)
		span.first = 1;
	if (has_lines(unit) && span.first <= span.last)
		sweep->spans[sweep->n++] = span;
}

static inline bool is_cut(const uint8_t *cuts, size_t bit)
{
	return cuts[bit / 8] >> bit % 8 & 1;
}

void line_sweep_begin(struct line_sweep *sweep, const struct line_blocks *blocks,
		      const uint8_t *cuts, size_t first_bit)
{
	const struct unit_rows *rows = blocks->rows;
	const uint32_t *order = rows->order;
	size_t from = blocks->from, end, i;

	sweep->n = sweep->at = sweep->n_heap = 0;
	sweep->line = 1;
	sweep->idle_last = 0;
	/* of the blocks that start in one line those that are cut begin in the next, behind the
	 * others, and not behind those that start there */
	for (; from < blocks->end; from = end) {
		uint32_t line = rows->units[order[from]].start_line;

		for (end = from; end < blocks->end && rows->units[order[end]].start_line == line;
		     end++)
			if (!is_cut(cuts, first_bit + order[end]))
				add_span(sweep, blocks, order[end], false);
		for (i = from; i < end; i++)
			if (is_cut(cuts, first_bit + order[i]))
				add_span(sweep, blocks, order[i], true);
	}
}

static inline bool is_above(const struct line_span *a, const struct line_span *b)
{
	return a->count != b->count ? a->count > b->count : a->last > b->last;
}

static void push(struct line_sweep *sweep, struct line_span span)
{
	size_t at = sweep->n_heap++;

	for (; at && is_above(&span, &sweep->heap[(at - 1) / 2]); at = (at - 1) / 2)
		sweep->heap[at] = sweep->heap[(at - 1) / 2];
	sweep->heap[at] = span;
}

static void pop(struct line_sweep *sweep)
{
	struct line_span moving = sweep->heap[--sweep->n_heap];
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < sweep->n_heap; at = child) {
		if (child + 1 < sweep->n_heap &&
		    is_above(&sweep->heap[child + 1], &sweep->heap[child]))
			child++;
		if (!is_above(&sweep->heap[child], &moving))
			break;
		sweep->heap[at] = sweep->heap[child];
	}
	sweep->heap[at] = moving;
}

/* Bring the heap to the next line that has a block; false where there is none. */
static bool advance(struct line_sweep *sweep)
{
	while (sweep->n_heap && sweep->heap[0].last < sweep->line)
		pop(sweep);
	if (!sweep->n_heap) {
		if (sweep->at == sweep->n)
			return false;
		if (sweep->spans[sweep->at].first > sweep->line)
			sweep->line = sweep->spans[sweep->at].first;
	}
	for (; sweep->at < sweep->n && sweep->spans[sweep->at].first <= sweep->line; sweep->at++) {
		const struct line_span *span = &sweep->spans[sweep->at];

		push(sweep, *span);
		if (!span->count && span->last > sweep->idle_last)
			sweep->idle_last = span->last;
	}
	return true;
}

bool line_sweep_next(struct line_sweep *sweep, struct line_run *run)
{
	const struct line_span *top;
	uint64_t last;

	if (!advance(sweep))
		return false;
	top = &sweep->heap[0];
	last = top->last;
	if (sweep->at < sweep->n && sweep->spans[sweep->at].first <= last)
		last = sweep->spans[sweep->at].first - 1;
	run->partial = top->count && sweep->idle_last >= sweep->line;
	if (run->partial && sweep->idle_last < last)
		last = sweep->idle_last;
	run->first = (uint32_t)sweep->line;
	run->last = (uint32_t)last;
	run->hits = top->count < LINE_HITS_MAX ? top->count : LINE_HITS_MAX;
	sweep->line = last + 1;
	return true;
}

void line_sweep_free(struct line_sweep *sweep)
{
	free(sweep->spans);
	free(sweep->heap);
	free(sweep->ends);
	*sweep = LINE_SWEEP_INIT;
}
