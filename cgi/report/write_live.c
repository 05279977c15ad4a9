/*
 * What a page polls: the structure, which changes only with the program, once; and the counters
 * alone, one for each of its blocks in the same order.
 */
#include "cgi/report/put.h"
#include "cgi/report/writers.h"

/* {"structure":"ID","mode":"M": counters belong to the structure with the same id. */
static void put_head(struct report *report, struct text_out *out)
{
	const struct outline *outline = &report->outline;

	put_text(out, "{\"structure\":\"");
	put_text(out, report->options.structure_id);
	put_text(out, "\",\"mode\":\"");
	put_text(out, outline->once ? "set" : counter_mode_name(outline->profile->mode));
	put_text(out, "\"");
}

/* The blocks of a function, each by its distance from the one before. */
static void put_blocks(const struct outline_function *function, const struct unit_rows *rows,
		       uint32_t *line, const char *separator, struct text_out *out)
{
	uint32_t i;

	for (i = 0; i < function->n_units; i++) {
		const struct covunit *unit = &rows->units[function->first_unit + i];
		int64_t down = (int64_t)unit->start_line - *line;
		int64_t high = (int64_t)unit->end_line - unit->start_line;

		put_text(out, separator);
		put_signed(out, down);
		put_text(out, ",");
		put_number(out, unit->start_column);
		put_text(out, ",");
		put_signed(out, high);
		put_text(out, ",");
		put_number(out, unit->end_column);
		put_text(out, ",");
		put_number(out, unit->statements);
		*line = unit->start_line;
		separator = ",";
	}
}

/* Of several builds of one function the blocks stand together. */
static void put_functions(const struct outline *outline, const struct outline_file *file,
			  const struct unit_rows *rows, struct text_out *out)
{
	const struct outline_function *functions = outline->functions + file->first_function;
	const char *separator = "\n[\"";
	size_t k = 0;

	while (k < file->n_functions) {
		uint32_t line = 0;

		put_text(out, separator);
		put_json(out, functions[k].name);
		put_text(out, functions[k].literal ? "\",1,[" : "\",0,[");
		put_blocks(&functions[k], rows, &line, "", out);
		for (k++; k < file->n_functions && functions[k].continues; k++)
			put_blocks(&functions[k], rows, &line, line ? "," : "", out);
		put_text(out, "]]");
		separator = ",\n[\"";
	}
}

static void put_structure_package(struct report *report, struct outline_package *package,
				  struct text_out *out)
{
	/* the outline has had the memory for it: this can't fail any more */
	const struct unit_rows *rows = outline_rows(&report->outline, package, NULL);
	const char *separator = "\n{\"name\":\"";
	size_t i;

	put_text(out, "{\"path\":\"");
	put_json(out, package->path);
	put_text(out, "\",\"module\":\"");
	put_json(out, package->module);
	put_text(out, "\",\"files\":[");
	for (i = 0; i < package->n_files; i++) {
		const struct outline_file *file = &report->outline.files[package->first_file + i];

		if (!file->kept)
			continue;
		put_text(out, separator);
		put_file(out, &report->options, file, put_json);
		put_text(out, name_ends_with(file->name, ".go") ? "\"" : "\",\"generated\":true");
		put_text(out, ",\"functions\":[");
		put_functions(&report->outline, file, rows, out);
		put_text(out, "]}");
		separator = ",\n{\"name\":\"";
	}
	put_text(out, "]}");
}

void write_structure(struct report *report, struct text_out *out)
{
	struct outline *outline = &report->outline;
	const char *separator = "\n";
	uint32_t p;

	put_head(report, out);
	put_text(out, ",\"packages\":[");
	for (p = 0; p < outline->n_packages; p++) {
		if (!outline->packages[p].kept)
			continue;
		put_text(out, separator);
		put_structure_package(report, &outline->packages[p], out);
		separator = ",\n";
	}
	put_text(out, "]}\n");
}

static void put_counters(const struct outline *outline, const struct outline_file *file,
			 const struct unit_rows *rows, const char **separator, struct text_out *out)
{
	size_t k;
	uint32_t i;

	for (k = 0; k < file->n_functions; k++) {
		const struct outline_function *function =
		    &outline->functions[file->first_function + k];

		for (i = 0; i < function->n_units; i++) {
			put_text(out, *separator);
			put_number(out, outline_count(outline, rows, function->first_unit + i));
			*separator = ",";
		}
	}
}

void write_counters(struct report *report, struct text_out *out)
{
	struct outline *outline = &report->outline;
	const char *separator = "";
	uint32_t p;
	size_t i;

	put_head(report, out);
	put_text(out, ",\"counters\":[");
	for (p = 0; p < outline->n_packages; p++) {
		struct outline_package *package = &outline->packages[p];
		const struct unit_rows *rows;

		if (!package->kept)
			continue;
		rows = outline_rows(outline, package, NULL);
		for (i = 0; i < package->n_files; i++)
			if (outline->files[package->first_file + i].kept)
				put_counters(outline, &outline->files[package->first_file + i],
					     rows, &separator, out);
	}
	put_text(out, "]}\n");
}
