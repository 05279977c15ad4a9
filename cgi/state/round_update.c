/* Bringing what is kept up to date with the directories. */
#include <string.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/state/report.h"
#include "cgi/state/round.h"

/* A counter file in a directory, and what is known of it. */
struct candidate {
	const struct input_file *input;
	const struct round_group *group;
	struct file_identity identity; /* of a new one */
	struct kept_file *known;       /* NULL = new */
	struct load_job *job;	       /* of a new one */
};

struct update {
	struct round *round;
	struct kept *kept;
	bool again;		      /* the files will be asked for again */
	struct candidate *candidates; /* owned; in the order of the inputs */
	size_t n;
	size_t n_known;
	struct load_job *jobs; /* owned */
	size_t n_jobs;
};

static void update_free(struct update *u)
{
	free(u->candidates);
	load_jobs_free(u->jobs, u->n_jobs);
}

#define cleanup_update cleanup_with(update_free)

/* The next file of those that were added, if it has this name. */
static struct kept_file *expected(const struct update *u, const struct input_file *input)
{
	struct kept_file *next = &u->kept->files[u->n_known];

	return u->n_known < u->kept->n_files && kept_is_named(next, input->file) ? next : NULL;
}

/* Has nothing happened to the file since it was added?  With a second name nobody can tell. */
static bool is_untouched(const struct kept_file *file, const struct coverage_file *now)
{
	return now->changed && now->changed <= file->looked && file->identity.links == 1;
}

/* What can't be looked at is left to the loading, which tells why. */
static int identify(struct candidate *candidate, bool *gone, struct error *err)
{
	struct error why = {0};

	if (source_file_identify(candidate->input->dir_fd, candidate->input->file->name,
				 &candidate->identity, gone, &why) == 0 ||
	    *gone || why.class == ERROR_INTERNAL)
		return 0;
	*err = why;
	return -1;
}

static int look(struct update *u, struct candidate *candidate, bool *gone, struct error *err)
{
	if (coverage_check_step(u->round->request->deadline, u->n, err) < 0)
		return -1;
	return u->again ? identify(candidate, gone, err) : 0;
}

static int add_candidate(struct update *u, const struct round_group *group,
			 const struct input_file *input, struct error *err)
{
	struct candidate *candidate = &u->candidates[u->n];
	struct kept_file *known = expected(u, input);
	bool gone = false;

	*candidate = (struct candidate){.input = input, .group = group};
	if (known && is_untouched(known, input->file)) {
		candidate->known = known;
	} else if (look(u, candidate, &gone, err) < 0) {
		return -1;
	} else if (gone) {
		return 0;
	} else if (known && kept_is_unchanged(known, &candidate->identity)) {
		candidate->known = known;
		known->looked = u->round->request->set->generation;
	}
	u->n_known += candidate->known != NULL;
	u->n++;
	return 0;
}

static int gather_candidates(struct update *u, struct error *err)
{
	struct round *round = u->round;
	size_t i, j;

	u->candidates = malloc((round->inputs.n_files + 1) * sizeof *u->candidates);
	if (!u->candidates)
		return error_no_memory(err);
	for (i = 0; i < round->inputs.n_groups; i++) {
		const struct round_group *group = &round->groups[i];

		if (!group->kept)
			continue;
		for (j = 0; j < group->files->n_counters; j++)
			if (!group->files->counters[j].live &&
			    add_candidate(u, group, &group->files->counters[j], err) < 0)
				return -1;
	}
	return 0;
}

static bool programs_are_there(const struct update *u)
{
	size_t found = 0, i;

	for (i = 0; i < u->round->inputs.n_groups; i++)
		found += u->round->groups[i].kept &&
			 kept_find(u->kept, u->round->groups[i].program) != NULL;
	return found == u->kept->n_programs;
}

/* The file is new again. */
static void forget(struct candidate *candidate)
{
	if (candidate->known)
		candidate->identity = candidate->known->identity;
	candidate->known = NULL;
}

/* Go on from what is kept, or begin anew. */
static int begin(struct update *u, struct error *err)
{
	size_t i;

	/* every file that was added must still be there, as it was */
	if (u->kept->profile && programs_are_there(u) && u->n_known == u->kept->n_files)
		return 0;
	for (i = 0; i < u->n; i++)
		forget(&u->candidates[i]);
	u->n_known = 0;
	kept_free(u->kept);
	return kept_begin(u->kept, err);
}

/* A profile that somebody else is still using must not change under his eyes. */
static int own_profile(struct kept *kept, struct error *err)
{
	struct covprofile *copy;

	live_sum_release(kept->live);
	kept->live = NULL;
	if (atomic_load(&kept->profile->users) == 1) {
		covprofile_forget_summary(kept->profile);
		return 0;
	}
	copy = covprofile_copy(kept->profile, err);
	if (!copy)
		return -1;
	covprofile_release(kept->profile);
	kept->profile = copy;
	return 0;
}

static int add_programs(struct update *u, struct error *err)
{
	size_t i;

	for (i = 0; i < u->round->inputs.n_groups; i++) {
		struct round_group *group = &u->round->groups[i];

		if (!group->kept || kept_find(u->kept, group->program))
			continue;
		if (own_profile(u->kept, err) < 0 ||
		    kept_add_program(u->kept, group->program, err) < 0)
			return -1;
	}
	/* only now do the arrays stay where they are */
	for (i = 0; i < u->round->inputs.n_groups; i++) {
		struct round_group *group = &u->round->groups[i];
		const struct kept_program *program =
		    group->kept ? kept_find(u->kept, group->program) : NULL;

		if (program)
			group->target =
			    (struct merge_target){&group->program->meta, program->first};
	}
	return 0;
}

static int add_files(struct update *u, struct error *err)
{
	size_t i;

	u->jobs = calloc(u->n - u->n_known + 1, sizeof *u->jobs);
	if (!u->jobs)
		return error_no_memory(err);
	for (i = 0; i < u->n; i++) {
		struct candidate *candidate = &u->candidates[i];

		if (candidate->known)
			continue;
		candidate->job = &u->jobs[u->n_jobs++];
		candidate->job->input = candidate->input;
		candidate->job->target = &candidate->group->target;
	}
	if (!u->n_jobs)
		return 0;
	if (own_profile(u->kept, err) < 0)
		return -1;
	return load_files(u->jobs, u->n_jobs, u->kept->profile, u->round->request->deadline, err);
}

/* The candidate as it will be known from now on. */
static int know(const struct update *u, const struct candidate *candidate, struct kept_file *file,
		struct error *err)
{
	struct load_job *job = candidate->job;
	char *name;

	if (candidate->known) {
		*file = *candidate->known;
		*candidate->known = (struct kept_file){0};
		return 0;
	}
	name = strdup(candidate->input->file->name);
	if (!name)
		return error_no_memory(err);
	*file = (struct kept_file){.name = name,
				   .dir = candidate->input->file->dir,
				   .identity = candidate->identity,
				   .looked = u->round->request->set->generation,
				   .outcome = job->outcome,
				   .reason = steal_ptr(job->reason),
				   .notes = job->notes};
	return 0;
}

static int tell_skip(struct round *round, const struct candidate *candidate, const char *reason,
		     bool newer, struct error *err)
{
	if (!newer)
		report_finding(round->report, candidate->input, COVERAGE_DAMAGED);
	return report_skip(round->report, candidate->input, reason, candidate->job != NULL, err);
}

static int tell(struct round *round, const struct candidate *candidate,
		const struct kept_file *file, struct error *err)
{
	report_notes(round->report, &file->notes);
	if (file->outcome == LOAD_DAMAGED)
		return tell_skip(round, candidate, file->reason, file->notes.newer, err);
	report_finding(round->report, candidate->input, COVERAGE_GOOD);
	round->report->n_counter_files++;
	return 0;
}

/* What is kept of a candidate, and what the report says about it. */
static int know_file(struct update *u, const struct candidate *candidate, struct kept_file *files,
		     size_t *n, struct error *err)
{
	const struct load_job *job = candidate->job;

	if (job && job->outcome == LOAD_GONE)
		return 0;
	/* nothing is known of it: it is tried again the next time */
	if (job && job->outcome == LOAD_UNREAD)
		return tell_skip(u->round, candidate, job->reason, false, err);
	if (know(u, candidate, &files[*n], err) < 0)
		return -1;
	return tell(u->round, candidate, &files[(*n)++], err);
}

/* The new list of files, and what the report says about them. */
static int know_anew(struct update *u, struct error *err)
{
	struct kept_file *files = malloc((u->n + 1) * sizeof *files);
	size_t n = 0, i;
	int rc = 0;

	if (!files)
		return error_no_memory(err);
	for (i = 0; i < u->n && rc == 0; i++)
		rc = know_file(u, &u->candidates[i], files, &n, err);
	kept_take_files(u->kept, files, n);
	return rc;
}

static int know_files(struct update *u, struct error *err)
{
	size_t i;

	if (u->n_known < u->n || u->n < u->kept->n_files)
		return know_anew(u, err);
	/* nothing has happened to any of them */
	for (i = 0; i < u->n; i++)
		if (tell(u->round, &u->candidates[i], u->candidates[i].known, err) < 0)
			return -1;
	return 0;
}

int round_update(struct round *round, struct kept *kept, bool again, struct error *err)
{
	cleanup_update struct update u = {.round = round, .kept = kept, .again = again};

	if (gather_candidates(&u, err) < 0 || begin(&u, err) < 0 || add_programs(&u, err) < 0 ||
	    add_files(&u, err) < 0)
		return -1;
	return know_files(&u, err);
}
