/*
 * lcov's tracefile, a record for each file.  What consumers insist on: FN:LINE,NAME and no more in
 * front of the name; all FN before all FNDA, in one order, since some match them by it; and no two
 * functions of one name in a file.
 */
#include "cgi/report/put.h"
#include "cgi/report/writers.h"

static void put_pair(struct text_out *out, const char *tag, uint64_t first, const char *rest)
{
	put_text(out, tag);
	put_number(out, first);
	put_text(out, rest);
}

static inline uint32_t clamped(uint32_t count)
{
	return count < LINE_HITS_MAX ? count : LINE_HITS_MAX;
}

static void put_functions(const struct outline *outline, const struct outline_file *file,
			  struct text_out *out)
{
	const struct outline_function *functions = outline->functions + file->first_function;
	uint64_t found = 0, hit = 0;
	size_t k;

	for (k = 0; k < file->n_functions; k++) {
		if (functions[k].continues)
			continue;
		put_pair(out, "FN:", functions[k].line ? functions[k].line : 1, ",");
		put_function(out, &functions[k], put_ref);
		put_text(out, "\n");
		found++;
		hit += functions[k].calls != 0;
	}
	for (k = 0; k < file->n_functions; k++) {
		if (functions[k].continues)
			continue;
		put_pair(out, "FNDA:", clamped(functions[k].calls), ",");
		put_function(out, &functions[k], put_ref);
		put_text(out, "\n");
	}
	put_pair(out, "FNF:", found, "\n");
	put_pair(out, "FNH:", hit, "\n");
}

/* Of a line that has run in part one of two branches is taken. */
static void put_branches(struct outline *outline, const struct outline_file *file,
			 const struct unit_rows *rows, struct text_out *out)
{
	struct line_run run;
	uint64_t line;

	outline_lines(outline, file, rows);
	while (line_sweep_next(&outline->sweep, &run))
		for (line = run.first; run.partial && line <= run.last; line++) {
			put_pair(out, "BRDA:", line, ",0,0,");
			put_pair(out, "", run.hits, "\n");
			put_pair(out, "BRDA:", line, ",0,1,0\n");
		}
	put_pair(out, "BRF:", 2 * file->partial, "\n");
	put_pair(out, "BRH:", file->partial, "\n");
}

static void put_lines(struct outline *outline, const struct outline_file *file,
		      const struct unit_rows *rows, struct text_out *out)
{
	struct line_run run;
	uint64_t line;

	outline_lines(outline, file, rows);
	while (line_sweep_next(&outline->sweep, &run))
		for (line = run.first; line <= run.last; line++) {
			char *at = text_out_room(out, 5 + 2 * DECIMAL_MAX);

			at = text_put_bytes(at, "DA:", 3);
			at = text_put_decimal(at, (uint32_t)line);
			*at++ = ',';
			at = text_put_decimal(at, run.hits);
			*at++ = '\n';
			text_out_used(out, at);
		}
	put_pair(out, "LF:", file->lines.total, "\n");
	put_pair(out, "LH:", file->lines.covered, "\n");
}

static void put_record(struct report *report, const struct outline_file *file,
		       const struct unit_rows *rows, struct text_out *out)
{
	const struct string_list *test = &report->options.test;

	put_text(out, "TN:");
	put_text(out, test->n ? test->items[0].text : "");
	put_text(out, "\nSF:");
	put_file(out, &report->options, file, put_ref);
	put_text(out, "\n");
	put_functions(&report->outline, file, out);
	if (report->options.branches)
		put_branches(&report->outline, file, rows, out);
	put_lines(&report->outline, file, rows, out);
	put_text(out, "end_of_record\n");
}

void write_lcov(struct report *report, struct text_out *out)
{
	struct outline *outline = &report->outline;
	uint32_t p;
	size_t i;

	for (p = 0; p < outline->n_packages; p++) {
		struct outline_package *package = &outline->packages[p];
		const struct unit_rows *rows;

		if (!package->kept)
			continue;
		/* the outline has had the memory for it: this can't fail any more */
		rows = outline_rows(outline, package, NULL);
		for (i = 0; i < package->n_files; i++)
			if (outline->files[package->first_file + i].kept)
				put_record(report, &outline->files[package->first_file + i], rows,
					   out);
	}
}
