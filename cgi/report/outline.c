#include "cgi/report/outline.h"

#include <string.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/report/outline_functions.h"
#include "cgi/report/outline_names.h"

enum {
	DEADLINE_STEP = 16, /* packages between two looks at the deadline */
	LINES_MAX =
	    32 << 20, /* of one report: more than the largest meta-data file can truly have */
};

/* --- packages and files ---------------------------------------------------------------------- */

static int reserve(struct outline *outline, const struct outline_wish *wish, struct error *err)
{
	const struct covprofile *profile = outline->profile;
	size_t n_files = 1, n_functions = 1, longest = 1;
	uint32_t i, k;

	for (i = 0; i < profile->n_parts; i++) {
		n_files += profile->parts[i].package->n_files;
		n_functions += profile->parts[i].package->n_functions;
		for (k = 0; k < profile->parts[i].package->n_functions; k++)
			if (profile->parts[i].package->functions[k].n_units > longest)
				longest = profile->parts[i].package->functions[k].n_units;
	}
	outline->order = malloc(2 * longest * sizeof *outline->order);
	outline->packages = calloc(profile->n_parts + 1, sizeof *outline->packages);
	outline->counted = calloc(profile->n_parts + 1, sizeof *outline->counted);
	outline->files = calloc(n_files, sizeof *outline->files);
	if (wish->functions)
		outline->functions = malloc(n_functions * sizeof *outline->functions);
	if (wish->lines)
		outline->cuts = calloc(profile->n_counters / 8 + 1, 1);
	return outline->packages && outline->counted && outline->files && outline->order &&
		       (outline->functions || !wish->functions) && (outline->cuts || !wish->lines)
		   ? 0
		   : error_no_memory(err);
}

static struct counted_package *parts_of(struct outline *outline,
					const struct outline_package *package)
{
	const struct covprofile *profile = outline->profile;
	uint32_t i;

	for (i = package->from; i < package->end; i++) {
		const struct profile_part *part = &profile->parts[outline->parts[i]];

		outline->counted[i - package->from] = (struct counted_package){
		    part->package, profile->counters + part->first_counter};
	}
	return outline->counted;
}

/* A unit that is joined with another one is counted there: by itself it has nothing to say. */
static int silence_doubles(struct unit_rows *rows, const struct counted_package *parts, uint32_t n,
			   struct error *err)
{
	size_t n_rows = rows->n_files ? rows->file_ends[rows->n_files - 1] : 0, n_units = 0, i;
	cleanup_free bool *is_row = NULL;

	for (i = 0; i < n; i++)
		n_units += parts[i].package->n_units;
	is_row = calloc(n_units + 1, sizeof *is_row);
	if (!is_row)
		return error_no_memory(err);
	for (i = 0; i < n_rows; i++)
		is_row[rows->order[i]] = true;
	for (i = 0; i < n_units; i++)
		if (!is_row[i])
			rows->units[i].statements = rows->own_counters[i] = 0;
	return 0;
}

/* Where units have to be joined that is done once. */
static int join(struct outline *outline, struct outline_package *package, struct error *err)
{
	struct counted_package *parts = parts_of(outline, package);
	uint32_t n = package->end - package->from;

	if (unit_rows_are_plain(parts, n))
		return 0;
	package->joined = calloc(1, sizeof *package->joined);
	if (!package->joined)
		return error_no_memory(err);
	if (unit_rows_make(package->joined, parts, n, outline->once, err) < 0)
		return -1;
	return silence_doubles(package->joined, parts, n, err);
}

const struct unit_rows *outline_rows(struct outline *outline, struct outline_package *package,
				     struct error *err)
{
	if (package->joined)
		return package->joined;
	return unit_rows_make(&outline->rows, parts_of(outline, package), 1, outline->once, err) < 0
		   ? NULL
		   : &outline->rows;
}

static void add_files(struct outline *outline, struct outline_package *package,
		      const struct string_ref *files, size_t n)
{
	size_t i;

	package->first_file = outline->n_files;
	package->n_files = n;
	for (i = 0; i < n; i++)
		outline->files[outline->n_files++] = (struct outline_file){
		    .path = files[i],
		    .name = files[i],
		    .kept = true,
		    .package = (uint32_t)(package - outline->packages),
		};
}

static int add_packages(struct outline *outline, struct error *err)
{
	const struct covprofile *profile = outline->profile;
	size_t first_unit = 0;
	uint32_t from, i;

	for (from = 0; from < profile->n_parts;) {
		struct outline_package *package = &outline->packages[outline->n_packages++];
		const struct covpackage *part = profile->parts[outline->parts[from]].package;

		*package = (struct outline_package){
		    .path = part->import_path,
		    .module = part->module_path,
		    .from = from,
		    .end = covprofile_group_end(profile, outline->parts, from),
		    .first_unit = first_unit,
		};
		for (i = from; i < package->end; i++)
			first_unit += profile->parts[outline->parts[i]].package->n_units;
		if (join(outline, package, err) < 0)
			return -1;
		add_files(outline, package, package->joined ? package->joined->files : part->files,
			  package->joined ? package->joined->n_files : part->n_files);
		from = package->end;
	}
	return 0;
}

/* --- counting -------------------------------------------------------------------------------- */

static struct share count_statements(const struct unit_rows *rows, size_t from, size_t end)
{
	struct share sum = {0, 0};
	size_t i;

	for (i = from; i < end; i++) {
		uint32_t unit = rows->order[i];

		sum.total += rows->units[unit].statements;
		if (rows->counters[unit])
			sum.covered += rows->units[unit].statements;
	}
	return sum;
}

void outline_lines(struct outline *outline, const struct outline_file *file,
		   const struct unit_rows *rows)
{
	const struct line_blocks blocks = {rows, file->from, file->end, outline->once};

	line_sweep_begin(&outline->sweep, &blocks, outline->cuts,
			 outline->packages[file->package].first_unit);
}

void outline_function_lines(struct outline *outline, const struct outline_function *function,
			    const struct unit_rows *rows)
{
	uint32_t *order = outline->order, n = function->n_units, i;
	struct unit_rows own = *rows;
	const struct line_blocks blocks = {&own, 0, n, outline->once};

	for (i = 0; i < n; i++)
		order[i] = function->first_unit + i;
	unit_order_sort(order, order + n, n, rows->units, NULL);
	own.order = order;
	line_sweep_begin(&outline->sweep, &blocks, outline->cuts,
			 outline->packages[outline->files[function->file].package].first_unit);
}

static int count_lines(struct outline *outline, struct outline_file *file,
		       const struct unit_rows *rows, struct error *err)
{
	const struct line_blocks blocks = {rows, file->from, file->end, outline->once};
	struct line_run run;

	if (line_sweep_reserve(&outline->sweep, file->end - file->from, err) < 0)
		return -1;
	line_sweep_find_cuts(&outline->sweep, &blocks, outline->cuts,
			     outline->packages[file->package].first_unit);
	outline_lines(outline, file, rows);
	while (line_sweep_next(&outline->sweep, &run)) {
		uint64_t n = (uint64_t)run.last - run.first + 1;

		share_add(&file->lines, (struct share){n, run.hits ? n : 0});
		file->partial += run.partial ? n : 0;
	}
	if (outline->lines.total + file->lines.total <= LINES_MAX)
		return 0;
	return error_set(
	    err, ERROR_INTERNAL,
	    "the blocks of %.*s, as its coverage data has them, reach over more lines than "
	    "a report can list: leave it out with skipFile, or take a format without "
	    "lines (percent, packages, func)",
	    (int)(file->name.len < 256 ? file->name.len : 256), file->name.text);
}

static int count_file(struct outline *outline, struct outline_file *file,
		      const struct unit_rows *rows, const struct outline_wish *wish,
		      struct error *err)
{
	struct outline_package *package = &outline->packages[file->package];

	file->statements = count_statements(rows, file->from, file->end);
	if (wish->lines && count_lines(outline, file, rows, err) < 0)
		return -1;
	share_add(&package->statements, file->statements);
	share_add(&package->lines, file->lines);
	package->partial += file->partial;
	share_add(&outline->statements, file->statements);
	share_add(&outline->lines, file->lines);
	outline->partial += file->partial;
	return 0;
}

static int count_package(struct outline *outline, struct outline_package *package,
			 const struct outline_wish *wish, struct error *err)
{
	const struct unit_rows *rows = outline_rows(outline, package, err);
	size_t from = 0, i;

	if (!rows)
		return -1;
	for (i = 0; i < package->n_files; i++) {
		struct outline_file *file = &outline->files[package->first_file + i];

		file->from = from;
		file->end = from = rows->file_ends[i];
		if (file->kept && count_file(outline, file, rows, wish, err) < 0)
			return -1;
	}
	return wish->functions ? outline_add_functions(outline, package, rows, wish->names, err)
			       : 0;
}

int outline_make(struct outline *outline, struct covprofile *profile,
		 const struct outline_wish *wish, const struct deadline *deadline,
		 struct error *err)
{
	uint32_t i;

	outline->profile = covprofile_use(profile);
	outline->once = covprofile_is_set(profile);
	outline->parts = covprofile_sorted_parts(profile, err);
	if (!outline->parts || reserve(outline, wish, err) < 0 || add_packages(outline, err) < 0 ||
	    outline_choose(outline, wish, err) < 0)
		return -1;
	for (i = 0; i < outline->n_packages; i++) {
		if (outline->packages[i].kept &&
		    count_package(outline, &outline->packages[i], wish, err) < 0)
			return -1;
		if (i % DEADLINE_STEP == 0 && coverage_check_deadline(deadline, err) < 0)
			return -1;
	}
	return 0;
}

void outline_free(struct outline *outline)
{
	uint32_t i;

	for (i = 0; i < outline->n_packages; i++)
		if (outline->packages[i].joined) {
			unit_rows_free(outline->packages[i].joined);
			free(outline->packages[i].joined);
		}
	unit_rows_free(&outline->rows);
	line_sweep_free(&outline->sweep);
	string_list_free(&outline->copies);
	free(outline->parts);
	free(outline->packages);
	free(outline->files);
	free(outline->functions);
	free(outline->counted);
	free(outline->cuts);
	free(outline->order);
	covprofile_release(outline->profile);
	*outline = OUTLINE_INIT;
}
