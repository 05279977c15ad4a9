/*
 * From statement blocks to lines.  A block reaches from START, included, to END, which is not:
 *
 * - A block without statements, or without any room, gives no line.
 * - Its last line is that of END, or the one before where END is in column 1: Go 1.27 ends blocks
 * so.
 * - Where a block of several lines starts exactly where another one ends, its first line holds only
 *   a brace, and belongs to the other (Go before 1.27): it is cut.
 * - A line has run as often as that of its blocks that has run most; never their sum.
 * - There is no line 0.
 */
#ifndef GOVERAGE_REPORT_LINES_H
#define GOVERAGE_REPORT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/error.h"
#include "cgi/format/unit_rows.h"

enum { LINE_HITS_MAX = 2147483647 }; /* what all consumers can read */

/* Lines next to one another of which all is the same. */
struct line_run {
	uint32_t first, last;
	uint32_t hits;
	bool partial; /* a part of the line has run and a part has not */
};

/* The lines of one block. */
struct line_span {
	uint32_t first, last, count;
};

/* A walk through the lines of a file.  All of it is private. */
struct line_sweep {
	struct line_span *spans; /* owned; by their first lines */
	struct line_span *heap; /* owned; those that the line at hand may be in, most hits on top */
	uint64_t *ends;		/* owned; where blocks end */
	size_t cap;		/* of each of these */
	size_t n, at, n_heap;
	uint64_t line;	    /* the next one */
	uint64_t idle_last; /* the last line of those blocks so far that have not run; 0 = none */
};

#define LINE_SWEEP_INIT ((struct line_sweep){0})

/* Memory for files of up to n blocks.  -1: ERROR_UNAVAILABLE. */
must_check int line_sweep_reserve(struct line_sweep *sweep, size_t n, struct error *err);

/* The blocks of a file: rows->order[from..end). */
struct line_blocks {
	const struct unit_rows *rows;
	size_t from, end;
	bool once; /* counters tell only whether a block has run */
};

/* Find the blocks whose first line is cut: their bits, by their numbers in the rows, are set. */
void line_sweep_find_cuts(struct line_sweep *sweep, const struct line_blocks *blocks, uint8_t *cuts,
			  size_t first_bit);

/* Begin; the memory must be enough. */
void line_sweep_begin(struct line_sweep *sweep, const struct line_blocks *blocks,
		      const uint8_t *cuts, size_t first_bit);

/* The next lines; false at the end. */
bool line_sweep_next(struct line_sweep *sweep, struct line_run *run);

void line_sweep_free(struct line_sweep *sweep);

#endif
