#include "cgi/format/unit_rows.h"

#include <string.h>

/* --- one package as it is -------------------------------------------------------------------- */

/* Room for the files and units of a package. */
static int reserve(struct unit_rows *rows, size_t n_files, size_t n_units, struct error *err)
{
	if (rows->files_cap < n_files + 1) {
		free(rows->file_ends);
		rows->file_ends = malloc((n_files + 1) * sizeof *rows->file_ends);
		rows->files_cap = rows->file_ends ? n_files + 1 : 0;
	}
	if (rows->units_cap < n_units + 1) {
		free(rows->units);
		rows->units = malloc((n_units + 1) * sizeof *rows->units);
		rows->units_cap = rows->units ? n_units + 1 : 0;
	}
	return rows->files_cap && rows->units_cap ? 0 : error_no_memory(err);
}

static int take_package(struct unit_rows *rows, const struct counted_package *counted,
			struct error *err)
{
	const struct covpackage *package = counted->package;
	size_t i;

	if (reserve(rows, package->n_files, package->n_units, err) < 0)
		return -1;
	rows->n_files = package->n_files;
	rows->files = package->files;
	rows->order = package->order;
	rows->counters = counted->counters;
	covpackage_units(package, rows->units);
	memset(rows->file_ends, 0, (package->n_files + 1) * sizeof *rows->file_ends);
	for (i = 0; i < package->n_functions; i++)
		rows->file_ends[package->functions[i].file] += package->functions[i].n_units;
	for (i = 1; i < package->n_files; i++)
		rows->file_ends[i] += rows->file_ends[i - 1];
	return 0;
}

/* --- several packages, joined ---------------------------------------------------------------- */

/* A function of any of the packages. */
struct joined_function {
	struct string_ref file;
	struct covfunction_name name;
	uint32_t seen;	     /* its place in the order of the packages */
	uint32_t first_unit; /* among the units of all */
	uint32_t n_units;
	uint32_t file_rank; /* index into own_files */
};

struct joining {
	struct joined_function *functions; /* owned */
	size_t n_functions;
	size_t n_units;
	uint32_t *rank; /* owned; for each unit, when its function was first seen */
};

static void joining_free(struct joining *j)
{
	free(j->functions);
	free(j->rank);
}

#define cleanup_joining cleanup_with(joining_free)

/* Is it one function for covdata? */
static int compare_identity(const struct joined_function *a, const struct joined_function *b)
{
	int order = string_ref_compare(a->file, b->file);

	if (!order)
		order = string_ref_compare(a->name.name, b->name.name);
	return order ? order : (int)a->name.literal - (int)b->name.literal;
}

static int compare_functions(const void *a_, const void *b_)
{
	const struct joined_function *a = a_, *b = b_;
	int order = compare_identity(a, b);

	return order ? order : (a->seen > b->seen) - (a->seen < b->seen);
}

static int compare_seen(const void *a_, const void *b_)
{
	const struct joined_function *a = a_, *b = b_;

	return (a->seen > b->seen) - (a->seen < b->seen);
}

/* Append the functions, units and counters of one package. */
static int append_package(struct unit_rows *rows, struct joining *j,
			  const struct counted_package *counted, struct error *err)
{
	const struct covpackage *package = counted->package;
	cleanup_free struct covfunction_name *names =
	    malloc((package->n_functions + 1) * sizeof *names);
	size_t i;

	if (!names)
		return error_no_memory(err);
	if (covpackage_names(package, names, err) < 0)
		return -1;
	for (i = 0; i < package->n_functions; i++) {
		const struct covfunction *function = &package->functions[i];

		j->functions[j->n_functions] = (struct joined_function){
		    package->files[function->file],
		    names[i],
		    (uint32_t)j->n_functions,
		    (uint32_t)(j->n_units + function->first_unit),
		    function->n_units,
		    0,
		};
		j->n_functions++;
	}
	covpackage_units(package, rows->units + j->n_units);
	memcpy(rows->own_counters + j->n_units, counted->counters,
	       package->n_units * sizeof *rows->own_counters);
	j->n_units += package->n_units;
	return 0;
}

static int append_all(struct unit_rows *rows, struct joining *j,
		      const struct counted_package *packages, size_t n, struct error *err)
{
	size_t n_units = 1, n_functions = 1, i;

	for (i = 0; i < n; i++) {
		n_units += packages[i].package->n_units;
		n_functions += packages[i].package->n_functions;
	}
	rows->units = malloc(n_units * sizeof *rows->units);
	rows->own_counters = malloc(n_units * sizeof *rows->own_counters);
	rows->own_order = malloc(n_units * sizeof *rows->own_order);
	rows->own_files = malloc(n_functions * sizeof *rows->own_files);
	rows->file_ends = calloc(n_functions + 1, sizeof *rows->file_ends);
	j->functions = malloc(n_functions * sizeof *j->functions);
	j->rank = malloc(n_units * sizeof *j->rank);
	if (!rows->units || !rows->own_counters || !rows->own_order || !rows->own_files ||
	    !rows->file_ends || !j->functions || !j->rank)
		return error_no_memory(err);
	for (i = 0; i < n; i++)
		if (append_package(rows, j, &packages[i], err) < 0)
			return -1;
	rows->files = rows->own_files;
	rows->order = rows->own_order;
	rows->counters = rows->own_counters;
	return 0;
}

/* Number the files, and give each unit the time at which its function was first seen. */
static void rank_functions(struct unit_rows *rows, struct joining *j)
{
	const struct joined_function *first = NULL;
	uint32_t k;
	size_t i;

	qsort(j->functions, j->n_functions, sizeof *j->functions, compare_functions);
	for (i = 0; i < j->n_functions; i++) {
		struct joined_function *function = &j->functions[i];

		if (!first || string_ref_compare(first->file, function->file) != 0)
			rows->own_files[rows->n_files++] = function->file;
		if (!first || compare_identity(first, function) != 0)
			first = function;
		function->file_rank = (uint32_t)rows->n_files - 1;
		for (k = 0; k < function->n_units; k++)
			j->rank[function->first_unit + k] = first->seen;
	}
	qsort(j->functions, j->n_functions, sizeof *j->functions, compare_seen);
}

/* own_order[]: the units file by file, as they were seen; file_ends[] accordingly. */
static void group_by_file(struct unit_rows *rows, const struct joining *j)
{
	size_t i;
	uint32_t k;

	for (i = 0; i < j->n_functions; i++)
		rows->file_ends[j->functions[i].file_rank + 1] += j->functions[i].n_units;
	for (i = 1; i < rows->n_files; i++)
		rows->file_ends[i] += rows->file_ends[i - 1];
	/* now the starts of the files, which become their ends */
	for (i = 0; i < j->n_functions; i++)
		for (k = 0; k < j->functions[i].n_units; k++)
			rows->own_order[rows->file_ends[j->functions[i].file_rank]++] =
			    j->functions[i].first_unit + k;
}

static void join_counter(struct unit_rows *rows, uint32_t to, uint32_t from, bool once)
{
	uint32_t sum = rows->own_counters[to] + rows->own_counters[from];

	if (once)
		rows->own_counters[to] |= rows->own_counters[from];
	else
		rows->own_counters[to] = sum < rows->own_counters[from] ? UINT32_MAX : sum;
}

/* Sort own_order[from..end) and move it to own_order[to..), equal units joined; returns its new
 * end. */
static size_t join_file(struct unit_rows *rows, const struct joining *j, uint32_t *scratch,
			size_t from, size_t end, size_t to, bool once)
{
	size_t start = to, i;

	unit_order_sort(rows->own_order + from, scratch, end - from, rows->units, j->rank);
	for (i = from; i < end; i++) {
		uint32_t unit = rows->own_order[i],
			 before = to > start ? rows->own_order[to - 1] : 0;

		if (to > start && j->rank[unit] == j->rank[before] &&
		    covunit_compare(&rows->units[unit], &rows->units[before]) == 0)
			join_counter(rows, before, unit, once);
		else
			rows->own_order[to++] = unit;
	}
	return to;
}

static int join_packages(struct unit_rows *rows, const struct counted_package *packages, size_t n,
			 bool once, struct error *err)
{
	cleanup_joining struct joining j = {0};
	cleanup_free uint32_t *scratch = NULL;
	size_t from = 0, to = 0, i;

	if (append_all(rows, &j, packages, n, err) < 0)
		return -1;
	scratch = malloc((j.n_units + 1) * sizeof *scratch);
	if (!scratch)
		return error_no_memory(err);
	rank_functions(rows, &j);
	group_by_file(rows, &j);
	for (i = 0; i < rows->n_files; i++) {
		size_t end = rows->file_ends[i];

		to = join_file(rows, &j, scratch, from, end, to, once);
		rows->file_ends[i] = to;
		from = end;
	}
	return 0;
}

bool unit_rows_are_plain(const struct counted_package *packages, size_t n)
{
	return n == 1 && !packages[0].package->repeats;
}

int unit_rows_make(struct unit_rows *rows, const struct counted_package *packages, size_t n,
		   bool once, struct error *err)
{
	if (unit_rows_are_plain(packages, n))
		return take_package(rows, &packages[0], err);
	unit_rows_free(rows);
	return join_packages(rows, packages, n, once, err);
}

void unit_rows_free(struct unit_rows *rows)
{
	free(rows->file_ends);
	free(rows->units);
	free(rows->own_files);
	free(rows->own_order);
	free(rows->own_counters);
	*rows = UNIT_ROWS_INIT;
}
