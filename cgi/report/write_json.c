/* The whole outline as JSON. */
#include "cgi/report/put.h"
#include "cgi/report/writers.h"

/* ,"statements":N,"covered":N,"percent":P with null where there are no statements. */
static void put_share(struct text_out *out, struct share share)
{
	put_text(out, "\"statements\":");
	put_number(out, share.total);
	put_text(out, ",\"covered\":");
	put_number(out, share.covered);
	put_text(out, ",\"percent\":");
	if (share.total)
		put_percent(out, share);
	else
		put_text(out, "null");
}

static void put_lines(struct text_out *out, struct share lines)
{
	put_text(out, ",\"lines\":");
	put_number(out, lines.total);
	put_text(out, ",\"lines_covered\":");
	put_number(out, lines.covered);
}

static void put_member(struct text_out *out, const char *name, struct string_ref text)
{
	put_text(out, name);
	put_json(out, text);
	put_text(out, "\",");
}

static void put_function_object(struct text_out *out, const struct outline_function *function)
{
	put_text(out, "{");
	put_member(out, "\"name\":\"", function->name);
	put_text(out, "\"line\":");
	put_number(out, function->line);
	put_text(out, ",\"column\":");
	put_number(out, function->column);
	put_text(out, function->literal ? ",\"literal\":true,\"calls\":" : ",\"calls\":");
	put_number(out, function->calls);
	put_text(out, ",");
	put_share(out, function->statements);
	put_text(out, "}");
}

static void put_functions(const struct outline *outline, const struct outline_file *file,
			  struct text_out *out)
{
	const char *separator = "\n";
	size_t k;

	for (k = 0; k < file->n_functions; k++) {
		const struct outline_function *function =
		    &outline->functions[file->first_function + k];

		if (function->continues)
			continue;
		put_text(out, separator);
		put_function_object(out, function);
		separator = ",\n";
	}
}

static void put_range(struct text_out *out, const char *separator, uint32_t first, uint32_t last)
{
	put_text(out, separator);
	put_text(out, "[");
	put_number(out, first);
	put_text(out, ",");
	put_number(out, last);
	put_text(out, "]");
}

/* [[first,last],…]: lines that have not run. */
static void put_missed(struct outline *outline, const struct outline_file *file,
		       const struct unit_rows *rows, struct text_out *out)
{
	uint32_t first = 0, last = 0;
	const char *separator = "";
	struct line_run run;

	outline_lines(outline, file, rows);
	while (line_sweep_next(&outline->sweep, &run)) {
		if (run.hits)
			continue;
		if (first && run.first != last + 1) {
			put_range(out, separator, first, last);
			separator = ",";
			first = 0;
		}
		first = first ? first : run.first;
		last = run.last;
	}
	if (first)
		put_range(out, separator, first, last);
}

static void put_file_object(struct report *report, const struct outline_file *file,
			    const struct unit_rows *rows, struct text_out *out)
{
	put_text(out, "{\"name\":\"");
	put_file(out, &report->options, file, put_json);
	put_text(out, name_ends_with(file->name, ".go") ? "\"," : "\",\"generated\":true,");
	put_share(out, file->statements);
	put_lines(out, file->lines);
	put_text(out, ",\"missed\":[");
	put_missed(&report->outline, file, rows, out);
	put_text(out, "],\"functions\":[");
	put_functions(&report->outline, file, out);
	put_text(out, "]}");
}

static void put_package(struct report *report, struct outline_package *package,
			struct text_out *out)
{
	struct outline *outline = &report->outline;
	/* the outline has had the memory for it: this can't fail any more */
	const struct unit_rows *rows = outline_rows(outline, package, NULL);
	const char *separator = "\n";
	size_t i;

	put_text(out, "{");
	put_member(out, "\"path\":\"", package->path);
	put_member(out, "\"module\":\"", package->module);
	put_share(out, package->statements);
	put_lines(out, package->lines);
	put_text(out, ",\"files\":[");
	for (i = 0; i < package->n_files; i++) {
		const struct outline_file *file = &outline->files[package->first_file + i];

		if (!file->kept)
			continue;
		put_text(out, separator);
		put_file_object(report, file, rows, out);
		separator = ",\n";
	}
	put_text(out, "]}");
}

void write_json(struct report *report, struct text_out *out)
{
	struct outline *outline = &report->outline;
	const char *separator = "\n";
	uint32_t i;

	put_text(out, "{\"mode\":\"");
	put_text(out, outline->once ? "set" : counter_mode_name(outline->profile->mode));
	put_text(out, "\",");
	put_share(out, outline->statements);
	put_lines(out, outline->lines);
	put_text(out, ",\"packages\":[");
	for (i = 0; i < outline->n_packages; i++) {
		if (!outline->packages[i].kept)
			continue;
		put_text(out, separator);
		put_package(report, &outline->packages[i], out);
		separator = ",\n";
	}
	put_text(out, "]}\n");
}
