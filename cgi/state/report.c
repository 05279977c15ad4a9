#include "cgi/state/report.h"

#include <string.h>

#include "cgi/base/log.h"

int report_skip(struct reader_report *report, const struct input_file *input, const char *reason,
		bool log, struct error *err)
{
	cleanup_buffer struct buffer line = BUFFER_INIT;

	report->n_skipped++;
	if (report->skipped.n == READER_NAMED_SKIPS) {
		if (log && report->n_skipped == READER_NAMED_SKIPS + 1)
			log_line("left out more files for this request, without a line for each");
		return 0;
	}
	buffer_printf(&line, "%s/%s %s", input->dir, input->file->name, reason);
	if (line.failed || string_list_add(&report->skipped, line.data, line.len) < 0)
		return error_no_memory(err);
	if (log)
		log_line("left out file=%s/%s reason=%s", input->dir, input->file->name, reason);
	return 0;
}

void report_finding(struct reader_report *report, const struct input_file *input,
		    enum coverage_finding finding)
{
	/* the files of the set stand in front of the live ones, in the order of the set */
	if (report->findings && !input->live)
		report->findings[input->rank] = finding;
}

void report_notes(struct reader_report *report, const struct merge_notes *notes)
{
	report->newer_format |= notes->newer;
	report->ignored_entries += notes->ignored;
}

int report_profile(struct reader_report *report, struct covprofile *profile, struct error *err)
{
	const struct covprofile_summary *summary = covprofile_summary(profile, err);

	if (!summary)
		return -1;
	report->mixed_modes = profile->mixed_modes;
	report->several_builds = summary->several_builds;
	if (report->several_builds) {
		report->several_builds_example =
		    strndup(summary->an_example.text, summary->an_example.len);
		if (!report->several_builds_example)
			return error_no_memory(err);
	}
	memcpy(report->digest, summary->digest, sizeof report->digest);
	return 0;
}

void reader_report_free(struct reader_report *report)
{
	string_list_free(&report->skipped);
	free(report->several_builds_example);
	free(report->findings);
	*report = READER_REPORT_INIT;
}
