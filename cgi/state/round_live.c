/* Adding the snapshots of running processes to what the directories hold. */
#include <string.h>

#include "cgi/state/report.h"
#include "cgi/state/round.h"

enum { KEEP_MAX = 16 << 20 }; /* bytes of counter files that are worth being compared */

/* The programs that add something, and the counter files that they add. */
struct live {
	struct live_part *parts; /* owned */
	size_t n_parts;
	struct load_job *jobs; /* owned; part by part */
	size_t n_jobs;
	bool read_ahead; /* all of them were */
};

static void live_free(struct live *live)
{
	free(live->parts);
	load_jobs_free(live->jobs, live->n_jobs);
}

#define cleanup_live cleanup_with(live_free)

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

/* Returns how many files the group adds. */
static size_t make_jobs(struct live *live, const struct round_group *group)
{
	size_t before = live->n_jobs, i;

	for (i = 0; i < group->files->n_counters; i++)
		if (group->files->counters[i].live || !group->kept)
			live->jobs[live->n_jobs++] = (struct load_job){
			    .input = &group->files->counters[i],
			    .target = &group->target,
			};
	return live->n_jobs - before;
}

static int gather(struct live *live, const struct round *round, struct error *err)
{
	size_t i;

	live->parts = calloc(round->inputs.n_groups + 1, sizeof *live->parts);
	live->jobs = calloc(round->inputs.n_files + 1, sizeof *live->jobs);
	if (!live->parts || !live->jobs)
		return error_no_memory(err);
	for (i = 0; i < round->inputs.n_groups; i++)
		if (is_live(&round->groups[i])) {
			struct live_part *part = &live->parts[live->n_parts++];

			part->program = round->groups[i].program;
			part->n_files = make_jobs(live, &round->groups[i]);
		}
	return 0;
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

static int add_counters(struct round *round, struct live *live, struct covprofile *profile,
			struct error *err)
{
	size_t i;

	if (load_files(live->jobs, live->n_jobs, profile, round->request->deadline, err) < 0)
		return -1;
	for (i = 0; i < live->n_jobs; i++)
		if (tell(round, &live->jobs[i], err) < 0)
			return -1;
	return 0;
}

static struct covprofile *add_up(struct round *round, struct live *live,
				 const struct covprofile *base, struct error *err)
{
	cleanup_covprofile struct covprofile *profile = covprofile_copy(base, err);

	if (!profile || add_programs(round, profile, err) < 0 ||
	    add_counters(round, live, profile, err) < 0)
		return NULL;
	return steal_ptr(profile);
}

static struct covprofile *repeat(struct round *round, const struct live_sum *last)
{
	round->report->n_counter_files += last->n_files;
	round->report->ignored_entries += last->ignored;
	return covprofile_use(last->profile);
}

static bool all_were_added(const struct live *live)
{
	size_t i;

	for (i = 0; i < live->n_jobs; i++)
		if (live->jobs[i].outcome != LOAD_ADDED)
			return false;
	return live->read_ahead;
}

struct covprofile *round_add_live(struct round *round, struct covprofile *base,
				  const struct live_sum *last, struct live_sum **now,
				  struct error *err)
{
	cleanup_live struct live live = {0};
	struct covprofile *profile;

	if (gather(&live, round, err) < 0)
		return NULL;
	if (live.n_parts == 0)
		return covprofile_use(base);
	if (now && load_read_ahead(live.jobs, live.n_jobs, KEEP_MAX, &live.read_ahead,
				   round->request->deadline, err) < 0)
		return NULL;
	if (last && live_sum_repeats(last, live.parts, live.n_parts, live.jobs, live.n_jobs))
		return repeat(round, last);
	profile = add_up(round, &live, base, err);
	if (profile && all_were_added(&live))
		*now = live_sum_new(profile, live.parts, live.n_parts, live.jobs, live.n_jobs);
	return profile;
}
