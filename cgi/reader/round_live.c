/* Adding the snapshots of running processes to what the directories hold. */
#include <string.h>

#include "cgi/reader/report.h"
#include "cgi/reader/round.h"

/* Does the program come with counters, or with meta-data, that are not part of what is kept? */
static bool is_live(const struct round_group *group)
{
	size_t i;

	if (!group->program)
		return false;
	for (i = 0; i < group->files->n_counters; i++)
		if (group->files->counters[i].live)
			return true;
	return !group->kept;
}

static size_t count_live(const struct round *round)
{
	size_t n = 0, i;

	for (i = 0; i < round->inputs.n_groups; i++)
		n += is_live(&round->groups[i]);
	return n;
}

/* A program that is kept already has its packages in the profile: this finds where. */
static int add_programs(struct round *round, struct covprofile *profile, struct error *err)
{
	size_t i;

	for (i = 0; i < round->inputs.n_groups; i++) {
		struct round_group *group = &round->groups[i];

		if (!is_live(group))
			continue;
		group->first = calloc(group->program->meta.n_packages + 1, sizeof *group->first);
		if (!group->first)
			return error_no_memory(err);
		if (covprofile_add_program(profile, &group->program->meta, group->first, err) < 0)
			return -1;
		group->target = (struct merge_target){&group->program->meta, group->first};
	}
	return 0;
}

static size_t make_jobs(const struct round *round, struct load_job *jobs)
{
	size_t n = 0, i, j;

	for (i = 0; i < round->inputs.n_groups; i++) {
		const struct round_group *group = &round->groups[i];

		for (j = 0; group->first && j < group->files->n_counters; j++)
			if (group->files->counters[j].live || !group->kept)
				jobs[n++] = (struct load_job){
				    .input = &group->files->counters[j],
				    .target = &group->target,
				};
	}
	return n;
}

static int tell(struct round *round, const struct load_job *job, struct error *err)
{
	if (job->outcome == LOAD_GONE)
		return 0;
	report_notes(round->report, &job->notes);
	if (job->outcome == LOAD_DAMAGED || job->outcome == LOAD_UNREAD)
		return report_skip(round->report, job->input, job->reason, true, err);
	round->report->n_counter_files++;
	return 0;
}

static int add_counters(struct round *round, struct covprofile *profile, struct error *err)
{
	struct load_job *jobs = calloc(round->inputs.n_files + 1, sizeof *jobs);
	size_t n, i;
	int rc;

	if (!jobs)
		return error_no_memory(err);
	n = make_jobs(round, jobs);
	rc = load_files(jobs, n, profile, round->request->deadline, err);
	for (i = 0; i < n && rc == 0; i++)
		rc = tell(round, &jobs[i], err);
	load_jobs_free(jobs, n);
	return rc;
}

struct covprofile *round_add_live(struct round *round, struct covprofile *base, struct error *err)
{
	cleanup_covprofile struct covprofile *profile = NULL;

	if (count_live(round) == 0)
		return covprofile_use(base);
	profile = covprofile_copy(base, err);
	if (!profile || add_programs(round, profile, err) < 0 ||
	    add_counters(round, profile, err) < 0)
		return NULL;
	return steal_ptr(profile);
}
