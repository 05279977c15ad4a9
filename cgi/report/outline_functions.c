#include "cgi/report/outline_functions.h"

#include <string.h>

/* --- finding them ---------------------------------------------------------------------------- */

/* The file of a function among those of the outline's package, in which it is. */
static uint32_t find_file(const struct outline *outline, const struct outline_package *package,
			  struct string_ref path)
{
	size_t from = package->first_file, n = package->n_files;

	while (n > 1) {
		size_t half = n / 2;

		if (string_ref_compare(outline->files[from + half].path, path) <= 0) {
			from += half;
			n -= half;
		} else {
			n = half;
		}
	}
	return (uint32_t)from;
}

/* Append the functions of one part, whose units begin at number `first` of the rows. */
static int append_part(struct outline *outline, const struct outline_package *package,
		       const struct covpackage *part, uint32_t first, enum name_rules rules,
		       struct error *err)
{
	cleanup_free struct covfunction_name *names =
	    malloc((part->n_functions + 1) * sizeof *names);
	uint32_t i;

	if (!names)
		return error_no_memory(err);
	if (covpackage_names(part, names, err) < 0)
		return -1;
	for (i = 0; i < part->n_functions; i++) {
		const struct covfunction *function = &part->functions[i];
		struct outline_function *made = &outline->functions[outline->n_functions++];

		*made = (struct outline_function){
		    .name = names[i].name,
		    .file = find_file(outline, package, part->files[function->file]),
		    .first_unit = first + function->first_unit,
		    .n_units = function->n_units,
		    .literal = names[i].literal,
		};
		if (name_clean(&made->name, rules, &outline->copies, err) < 0)
			return -1;
	}
	return 0;
}

/* --- counting -------------------------------------------------------------------------------- */

static void count(const struct outline *outline, struct outline_function *function,
		  const struct unit_rows *rows)
{
	uint32_t unit = function->first_unit, end = unit + function->n_units;

	if (!function->n_units)
		return;
	function->line = rows->units[unit].start_line;
	function->column = rows->units[unit].start_column;
	function->calls = outline_count(outline, rows, unit);
	for (; unit < end; unit++) {
		uint32_t statements = rows->units[unit].statements;

		function->statements.total += statements;
		if (rows->counters[unit])
			function->statements.covered += statements;
	}
}

/* --- order ----------------------------------------------------------------------------------- */

/* Is it one function, maybe of several builds? */
static int compare_identity(const struct outline_function *a, const struct outline_function *b)
{
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return string_ref_compare(a->name, b->name);
}

static int compare_functions(const void *a_, const void *b_)
{
	const struct outline_function *a = a_, *b = b_;
	int order = compare_identity(a, b);

	return order ? order : (a->first_unit > b->first_unit) - (a->first_unit < b->first_unit);
}

/* What another build has of a function is counted with the first one. */
static void join_builds(const struct outline *outline, struct outline_function *functions, size_t n)
{
	struct outline_function *first = functions;
	size_t i;

	for (i = 1; i < n; i++) {
		struct outline_function *function = &functions[i];

		if (compare_identity(first, function) != 0) {
			first = function;
			continue;
		}
		function->continues = true;
		share_add(&first->statements, function->statements);
		first->calls = first->calls + function->calls < first->calls
				   ? UINT32_MAX
				   : first->calls + function->calls;
		if (outline->once)
			first->calls = first->calls != 0;
	}
}

static int compare_names(const void *a_, const void *b_)
{
	struct outline_function *const *a = a_, *const *b = b_;
	int order = (int)((*a)->file > (*b)->file) - (int)((*a)->file < (*b)->file);

	return order ? order : string_ref_compare((*a)->name, (*b)->name);
}

/* Mark those that share their names with others of the same file. */
static int mark_repeats(struct outline_function *functions, size_t n, struct error *err)
{
	cleanup_free struct outline_function **sorted = malloc((n + 1) * sizeof *sorted);
	size_t n_sorted = 0, i;

	if (!sorted)
		return error_no_memory(err);
	for (i = 0; i < n; i++)
		if (!functions[i].continues)
			sorted[n_sorted++] = &functions[i];
	qsort(sorted, n_sorted, sizeof *sorted, compare_names);
	for (i = 1; i < n_sorted; i++)
		if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
			sorted[i - 1]->repeats = sorted[i]->repeats = true;
	return 0;
}

/* --- all of a package ------------------------------------------------------------------------ */

static void hand_to_files(struct outline *outline, size_t from)
{
	size_t i;

	for (i = from; i < outline->n_functions; i++) {
		struct outline_file *file = &outline->files[outline->functions[i].file];

		if (!file->n_functions++)
			file->first_function = i;
	}
}

int outline_add_functions(struct outline *outline, const struct outline_package *package,
			  const struct unit_rows *rows, enum name_rules rules, struct error *err)
{
	size_t from = outline->n_functions, n, i;
	uint32_t first = 0, p;

	for (p = package->from; p < package->end; p++) {
		const struct covpackage *part = outline->profile->parts[outline->parts[p]].package;

		if (append_part(outline, package, part, first, rules, err) < 0)
			return -1;
		first += part->n_units;
	}
	n = outline->n_functions - from;
	for (i = from; i < outline->n_functions; i++)
		count(outline, &outline->functions[i], rows);
	if (n) {
		qsort(outline->functions + from, n, sizeof *outline->functions, compare_functions);
		join_builds(outline, outline->functions + from, n);
	}
	hand_to_files(outline, from);
	return mark_repeats(outline->functions + from, n, err);
}
