#include "cgi/report/report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cgi/report/writers.h"

/* What each format needs of the outline, and who writes it. */
static const struct format {
	report_writer *write;
	enum name_rules names;
	bool functions, lines;
} formats[REPORT_KINDS] = {
    [REPORT_PERCENT] = {write_percent, NAMES_LINE, false, false},
    [REPORT_PACKAGES] = {write_packages, NAMES_LINE, false, false},
    [REPORT_FUNC] = {write_func, NAMES_LINE, true, false},
    [REPORT_JSON] = {write_json, NAMES_JSON, true, true},
    [REPORT_LCOV] = {write_lcov, NAMES_NO_COMMA, true, true},
    [REPORT_COBERTURA] = {write_cobertura, NAMES_XML, true, true},
    [REPORT_BADGE] = {write_badge, NAMES_XML, false, false},
    [REPORT_STRUCTURE] = {write_structure, NAMES_JSON, true, false},
    [REPORT_COUNTERS] = {write_counters, NAMES_JSON, true, false},
};

static int count_bytes(void *size_, const char *bytes, size_t n)
{
	size_t *size = size_;

	(void)bytes;
	*size += n;
	return 0;
}

static int make(struct report *report, struct covprofile *profile, struct path_filter *filter,
		const struct deadline *deadline, struct error *err)
{
	const struct format *format = &formats[report->options.kind];
	const struct outline_wish wish = {
	    .options = &report->options,
	    .filter = filter,
	    .names = format->names,
	    /* those of Cobertura are for its methods */
	    .functions = format->functions &&
			 (report->options.kind != REPORT_COBERTURA || report->options.methods),
	    .lines = format->lines,
	};

	report->time_s = time(NULL);
	report->room = malloc(TEXT_OUT_ROOM);
	if (!report->room)
		return error_no_memory(err);
	if (outline_make(&report->outline, profile, &wish, deadline, err) < 0)
		return -1;
	return report_send(report, count_bytes, &report->size);
}

struct report *report_new(struct covprofile *profile, struct report_options *options,
			  struct path_filter *filter, const struct deadline *deadline,
			  struct error *err)
{
	cleanup_report struct report *report = calloc(1, sizeof *report);

	if (!report) {
		error_no_memory(err);
		return NULL;
	}
	report->options = *options;
	*options = REPORT_OPTIONS_INIT;
	return make(report, profile, filter, deadline, err) < 0 ? NULL : steal_ptr(report);
}

int report_check(const struct report *report, struct error *err)
{
	const struct report_options *options = &report->options;
	struct share share = report->outline.statements;
	char percent[SHARE_TEXT];

	if (options->fail_under == NO_THRESHOLD)
		return 0;
	if (!share.total)
		return error_set(err, ERROR_BELOW, "no statements to count, so not %s %% of them",
				 options->fail_under_text);
	if (share_of(share, SHARE_THOUSANDTHS) >= options->fail_under)
		return 0;
	share_percent(share, percent);
	return error_set(err, ERROR_BELOW, "%s %% of statements, below %s", percent,
			 options->fail_under_text);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 31;
}

int report_structure(const struct covprofile *profile, char out[REPORT_DIGEST], struct error *err)
{
	cleanup_free uint32_t *sorted = covprofile_sorted_parts(profile, err);
	uint64_t a = mix(0x243f6a8885a308d3u, profile->n_parts), b = mix(0x13198a2e03707344u, a);
	uint32_t i;

	if (!sorted)
		return -1;
	for (i = 0; i < profile->n_parts; i++) {
		uint64_t content = profile->parts[sorted[i]].package->content_hash;

		a = mix(a, content);
		b = mix(b, content + i);
	}
	snprintf(out, REPORT_DIGEST, "%016llx%016llx", (unsigned long long)a,
		 (unsigned long long)b);
	return 0;
}

size_t report_size(const struct report *report)
{
	return report->size;
}

int report_send(struct report *report, text_sink *sink, void *to)
{
	struct text_out out = {.sink = sink, .to = to, .buf = report->room, .cap = TEXT_OUT_ROOM};

	formats[report->options.kind].write(report, &out);
	return text_out_finish(&out);
}

void report_free(struct report *report)
{
	if (!report)
		return;
	outline_free(&report->outline);
	report_options_free(&report->options);
	free(report->room);
	free(report);
}
