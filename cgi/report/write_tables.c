/* The formats for a terminal and for small scripts: percent, packages, func. */
#include "cgi/report/put.h"
#include "cgi/report/writers.h"

void write_percent(struct report *report, struct text_out *out)
{
	put_percent(out, report->outline.statements);
	put_text(out, "\n");
}

/* The columns that both tables have: PERCENT, COVERED and STATEMENTS. */
static void put_share(struct text_out *out, struct share share)
{
	put_text(out, "\t");
	put_percent(out, share);
	put_text(out, "\t");
	put_number(out, share.covered);
	put_text(out, "\t");
	put_number(out, share.total);
}

void write_packages(struct report *report, struct text_out *out)
{
	const struct outline *outline = &report->outline;
	uint32_t i;

	for (i = 0; i < outline->n_packages; i++) {
		if (!outline->packages[i].kept)
			continue;
		put_ref(out, outline->packages[i].path);
		put_share(out, outline->packages[i].statements);
		put_text(out, "\n");
	}
	put_text(out, "total");
	put_share(out, outline->statements);
	put_text(out, "\n");
}

static void put_row(struct report *report, const struct outline_file *file,
		    const struct outline_function *function, struct text_out *out)
{
	put_file(out, &report->options, file, put_ref);
	put_text(out, ":");
	put_number(out, function->line);
	put_text(out, ":");
	put_number(out, function->column);
	put_text(out, "\t");
	put_ref(out, function->name);
	put_share(out, function->statements);
	put_text(out, "\t");
	put_number(out, function->calls);
	put_text(out, "\n");
}

void write_func(struct report *report, struct text_out *out)
{
	const struct outline *outline = &report->outline;
	size_t i, k;

	for (i = 0; i < outline->n_files; i++) {
		const struct outline_file *file = &outline->files[i];

		for (k = 0; file->kept && k < file->n_functions; k++) {
			const struct outline_function *function =
			    &outline->functions[file->first_function + k];

			if (!function->continues)
				put_row(report, file, function, out);
		}
	}
	put_text(out, "total\t(statements)");
	put_share(out, outline->statements);
	put_text(out, "\n");
}
