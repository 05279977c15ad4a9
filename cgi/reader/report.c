#include "cgi/reader/report.h"

#include <stdio.h>
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

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdu;
	return hash ^ hash >> 32;
}

/* Two hashes of 64 bits side by side. */
struct digest {
	uint64_t a, b;
};

static struct digest hash_part(const struct covprofile *profile, const struct profile_part *part)
{
	const uint32_t *counters = profile->counters + part->first_counter;
	uint64_t content = part->package->content_hash;
	struct digest hash = {mix(0x9ae16a3b2f90404fu, content), mix(0xc3a5c85c97cb3127u, content)};
	uint32_t i;

	for (i = 0; i < part->package->n_units; i += 2) {
		uint64_t pair = counters[i];

		if (i + 1 < part->package->n_units)
			pair |= (uint64_t)counters[i + 1] << 32;
		hash = (struct digest){mix(hash.a, pair), mix(hash.b, pair)};
	}
	return hash;
}

/* The order in which programs were added does not matter: the hashes of the packages are added up.
 */
static void write_digest(const struct covprofile *profile, char out[33])
{
	struct digest sum = {0, 0};
	uint32_t i;

	for (i = 0; i < profile->n_parts; i++) {
		struct digest part = hash_part(profile, &profile->parts[i]);

		sum = (struct digest){sum.a + part.a, sum.b + part.b};
	}
	sum.a = mix(sum.a, covprofile_is_set(profile) ? COUNTER_MODE_SET : profile->mode);
	snprintf(out, 33, "%016llx%016llx", (unsigned long long)sum.a, (unsigned long long)sum.b);
}

int report_profile(struct reader_report *report, const struct covprofile *profile,
		   struct error *err)
{
	cleanup_free uint32_t *sorted = covprofile_sorted_parts(profile, err);
	struct string_ref example;

	if (!sorted)
		return -1;
	report->mixed_modes = profile->mixed_modes;
	report->several_builds = covprofile_several_builds(profile, sorted, &example);
	if (report->several_builds) {
		report->several_builds_example = strndup(example.text, example.len);
		if (!report->several_builds_example)
			return error_no_memory(err);
	}
	write_digest(profile, report->digest);
	return 0;
}

void reader_report_free(struct reader_report *report)
{
	string_list_free(&report->skipped);
	free(report->several_builds_example);
	free(report->findings);
	*report = READER_REPORT_INIT;
}
