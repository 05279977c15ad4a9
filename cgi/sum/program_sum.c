#include "cgi/sum/program_sum.h"

#include <string.h>

#include "cgi/base/log.h"
#include "cgi/directory/input_read.h"
#include "cgi/sum/load.h"

static void log_skip(const struct input_file *input, const char *reason)
{
	log_line("left out file=%s/%s reason=%s", input->dir, input->file->name, reason);
}

static int refuse_newer(const struct input_file *input, struct error *err)
{
	return error_set(err, ERROR_INTERNAL,
			 "%s/%s is of a format that is newer than this program: only covdata may "
			 "know it, and it can't tell what ran since some moment",
			 input->dir, input->file->name);
}

static int read_meta(struct program_sum *sum, const struct input_file *input, bool *newer,
		     struct error *err)
{
	bool gone;
	cleanup_fd int fd = input_open(input, &gone, err);

	return fd < 0 ? -1 : covmeta_read(&sum->meta, fd, &sum->packages, newer, err);
}

static int find_meta(struct program_sum *sum, const struct input_group *group, struct error *err)
{
	size_t i;

	for (i = 0; i < group->n_meta && !sum->from; i++) {
		const struct input_file *input = &group->meta[i];
		struct error why = {0};
		bool newer = false;

		if (read_meta(sum, input, &newer, &why) == 0) {
			sum->from = input;
		} else if (newer) {
			return refuse_newer(input, err);
		} else if (why.class != ERROR_INTERNAL) {
			*err = why;
			return -1;
		} else {
			log_skip(input, why.message);
			sum->n_skipped++;
		}
	}
	if (!sum->from && sum->n_skipped)
		sum->n_skipped += group->n_counters;
	return 0;
}

int program_sum_begin(struct program_sum *sum, const struct input_group *group, struct error *err)
{
	if (find_meta(sum, group, err) < 0)
		return -1;
	if (!sum->from)
		return 0;
	sum->profile = covprofile_new(err);
	if (!sum->profile)
		return -1;
	sum->first = calloc(sum->meta.n_packages + 1, sizeof *sum->first);
	if (!sum->first)
		return error_no_memory(err);
	return covprofile_add_program(sum->profile, &sum->meta, sum->first, err);
}

static int check_jobs(struct program_sum *sum, const struct load_job *jobs, size_t n,
		      struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (jobs[i].notes.newer)
			return refuse_newer(jobs[i].input, err);
		if (jobs[i].outcome != LOAD_DAMAGED && jobs[i].outcome != LOAD_UNREAD)
			continue;
		log_skip(jobs[i].input, jobs[i].reason);
		sum->n_skipped++;
	}
	return 0;
}

int program_sum_count(struct program_sum *sum, const struct input_file *const *counters, size_t n,
		      const struct deadline *deadline, struct error *err)
{
	const struct merge_target target = {&sum->meta, sum->first};
	struct covprofile *profile = sum->profile;
	struct load_job *jobs = calloc(n + 1, sizeof *jobs);
	size_t i;
	int rc;

	if (!jobs)
		return error_no_memory(err);
	for (i = 0; i < n; i++)
		jobs[i] = (struct load_job){.input = counters[i], .target = &target};
	memset(profile->counters, 0, profile->n_counters * sizeof *profile->counters);
	rc = load_files(jobs, n, profile, deadline, err);
	if (rc == 0)
		rc = check_jobs(sum, jobs, n, err);
	load_jobs_free(jobs, n);
	return rc;
}

static bool has_run(const uint32_t *counters, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (counters[i])
			return true;
	return false;
}

void program_sum_take(struct program_sum *sum, struct counter_entries *entries)
{
	uint32_t p, f;

	for (p = 0; p < sum->meta.n_packages; p++) {
		const struct covpackage *package = sum->meta.packages[p];
		uint32_t *counters = sum->profile->counters + sum->first[p];

		for (f = 0; f < package->n_functions; f++) {
			const struct covfunction *function = &package->functions[f];

			if (has_run(counters + function->first_unit, function->n_units))
				counter_entries_add(entries, p, f, counters + function->first_unit,
						    function->n_units);
		}
		/* a package that stands twice in the file has one set of counters */
		if (package->n_units)
			memset(counters, 0, package->n_units * sizeof *counters);
	}
}

void program_sum_free(struct program_sum *sum)
{
	covprofile_release(sum->profile);
	free(sum->first);
	covmeta_free(&sum->meta);
	package_store_free(&sum->packages);
	*sum = PROGRAM_SUM_INIT;
}
