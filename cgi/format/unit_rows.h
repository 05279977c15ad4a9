/*
 * The lines that one import path gives: its units in the order of textfmt, file by file, with their
 * counters.  Usually that is one package as it is; where several builds of it meet, or where the
 * positions of units repeat, equal units are joined.
 */
#ifndef GOVERAGE_FORMAT_UNIT_ROWS_H
#define GOVERAGE_FORMAT_UNIT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/covpackage.h"

/* One package and where its counters are. */
struct counted_package {
	const struct covpackage *package;
	const uint32_t *counters;
};

struct unit_rows {
	size_t n_files;
	const struct string_ref *files; /* in byte order */
	size_t *file_ends;     /* owned; the index in order[] behind the last unit of each file */
	struct covunit *units; /* owned */
	size_t files_cap, units_cap; /* of these two, where the rows are of one package */
	const uint32_t *order;	     /* indexes into units[] and counters[] */
	const uint32_t *counters;
	/* owned; only where units were joined */
	struct string_ref *own_files;
	uint32_t *own_order;
	uint32_t *own_counters;
};

#define UNIT_ROWS_INIT ((struct unit_rows){0})

/* Are their rows those of one package, as it is? */
bool unit_rows_are_plain(const struct counted_package *packages, size_t n);

/*
 * Make the rows of n packages with one import path.  Rows of an earlier call are replaced; where
 * both are plain their memory is used again, and none is asked for when it is enough.  `once`:
 * counters are joined by "or" instead of being added up.  The packages must outlive the rows.  -1:
 * ERROR_UNAVAILABLE when out of memory.
 */
must_check int unit_rows_make(struct unit_rows *rows, const struct counted_package *packages,
			      size_t n, bool once, struct error *err);

void unit_rows_free(struct unit_rows *rows);

#define cleanup_unit_rows cleanup_with(unit_rows_free)

#endif
