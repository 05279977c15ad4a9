/*
 * Cobertura's XML (coverage-04): a package for each import path, a class for each file that has
 * lines.  Names are relative to one source, ".", and a class has one file: GitLab takes the lines
 * of a file that it doesn't know for those of the next one in a class.
 */
#include "config.h"

#include "cgi/report/put.h"
#include "cgi/report/writers.h"

static void put_attribute(struct text_out *out, const char *name, uint64_t number)
{
	put_text(out, name);
	put_number(out, number);
	put_text(out, "\"");
}

/* line-rate, branch-rate and complexity, and the end of the tag. */
static void put_rates(struct text_out *out, struct share lines, uint64_t partial)
{
	put_text(out, " line-rate=\"");
	put_rate(out, lines);
	put_text(out, "\" branch-rate=\"");
	put_rate(out, (struct share){2 * partial, partial});
	put_text(out, "\" complexity=\"0\">\n");
}

static void put_line(struct text_out *out, uint32_t line, uint32_t hits, bool branch)
{
	char *at = text_out_room(out, 128);

	at = text_put_bytes(at, "<line number=\"", 14);
	at = text_put_decimal(at, line);
	at = text_put_bytes(at, "\" hits=\"", 8);
	at = text_put_decimal(at, hits);
	if (branch)
		at = text_put_bytes(at, "\" branch=\"true\" condition-coverage=\"50% (1/2)", 45);
	at = text_put_bytes(at, "\"/>\n", 4);
	text_out_used(out, at);
}

/* All that is left of a walk through lines. */
static void put_lines(struct report *report, struct text_out *out)
{
	bool branches = report->options.branches;
	struct line_run run;
	uint64_t line;

	put_text(out, "<lines>\n");
	while (line_sweep_next(&report->outline.sweep, &run))
		for (line = run.first; line <= run.last; line++)
			put_line(out, (uint32_t)line, run.hits, run.partial && branches);
	put_text(out, "</lines>\n");
}

/* A method has the lines of its own blocks.  It is left out where it has none: parsers fall over
 * it. */
static void put_method(struct report *report, const struct outline_function *function,
		       const struct unit_rows *rows, struct text_out *out)
{
	struct line_sweep *sweep = &report->outline.sweep;
	struct share lines = {0, 0};
	uint64_t partial = 0;
	struct line_run run;

	outline_function_lines(&report->outline, function, rows);
	while (line_sweep_next(sweep, &run)) {
		uint64_t n = (uint64_t)run.last - run.first + 1;

		share_add(&lines, (struct share){n, run.hits ? n : 0});
		partial += run.partial ? n : 0;
	}
	if (!lines.total)
		return;
	put_text(out, "<method name=\"");
	put_function(out, function, put_xml);
	put_text(out, "\" signature=\"\"");
	put_rates(out, lines, report->options.branches ? partial : 0);
	outline_function_lines(&report->outline, function, rows);
	put_lines(report, out);
	put_text(out, "</method>\n");
}

/* The part of a path behind its last slash. */
static struct string_ref base_name(struct string_ref path)
{
	uint32_t at = path.len;

	while (at && path.text[at - 1] != '/')
		at--;
	return (struct string_ref){path.text + at, path.len - at};
}

static void put_class(struct report *report, const struct outline_file *file,
		      const struct unit_rows *rows, struct text_out *out)
{
	const struct outline *outline = &report->outline;
	size_t k;

	put_text(out, "<class name=\"");
	put_xml(out, base_name(file->name));
	put_text(out, "\" filename=\"");
	put_file(out, &report->options, file, put_xml);
	put_text(out, "\"");
	put_rates(out, file->lines, report->options.branches ? file->partial : 0);
	put_text(out, "<methods>\n");
	for (k = 0; report->options.methods && k < file->n_functions; k++) {
		const struct outline_function *function =
		    &outline->functions[file->first_function + k];

		if (!function->continues)
			put_method(report, function, rows, out);
	}
	put_text(out, "</methods>\n");
	outline_lines(&report->outline, file, rows);
	put_lines(report, out);
	put_text(out, "</class>\n");
}

static void put_package(struct report *report, struct outline_package *package,
			struct text_out *out)
{
	/* the outline has had the memory for it: this can't fail any more */
	const struct unit_rows *rows = outline_rows(&report->outline, package, NULL);
	size_t i;

	put_text(out, "<package name=\"");
	put_xml(out, package->path);
	put_text(out, "\"");
	put_rates(out, package->lines, report->options.branches ? package->partial : 0);
	put_text(out, "<classes>\n");
	for (i = 0; i < package->n_files; i++) {
		const struct outline_file *file = &report->outline.files[package->first_file + i];

		if (file->kept && file->lines.total)
			put_class(report, file, rows, out);
	}
	put_text(out, "</classes>\n</package>\n");
}

void write_cobertura(struct report *report, struct text_out *out)
{
	struct outline *outline = &report->outline;
	uint64_t partial = report->options.branches ? outline->partial : 0;
	uint32_t p;

	put_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<coverage");
	put_attribute(out, " lines-covered=\"", outline->lines.covered);
	put_attribute(out, " lines-valid=\"", outline->lines.total);
	put_attribute(out, " branches-covered=\"", partial);
	put_attribute(out, " branches-valid=\"", 2 * partial);
	put_attribute(out, " timestamp=\"", (uint64_t)report->time_s);
	put_text(out, " version=\"goverage-fcgi " PACKAGE_VERSION "\"");
	put_rates(out, outline->lines, partial);
	put_text(out, "<sources>\n<source>.</source>\n</sources>\n<packages>\n");
	for (p = 0; p < outline->n_packages; p++)
		if (outline->packages[p].lines.total)
			put_package(report, &outline->packages[p], out);
	put_text(out, "</packages>\n</coverage>\n");
}
