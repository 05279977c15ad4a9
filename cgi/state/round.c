#include "cgi/state/round.h"

#include <string.h>

#include "cgi/state/report.h"

static int skip_meta(struct round *round, struct program *program, const struct input_file *meta,
		     struct error *err)
{
	bool log = !program->logged;

	program->logged = true;
	round->report->newer_format |= program->newer;
	if (!program->newer)
		report_finding(round->report, meta, COVERAGE_DAMAGED);
	return report_skip(round->report, meta, program->reason, log, err);
}

/* Without meta-data the counters of a program mean nothing. */
static int skip_counters(struct round *round, const struct input_group *files, const char *reason,
			 bool log, struct error *err)
{
	size_t i;

	for (i = 0; i < files->n_counters; i++)
		if (report_skip(round->report, &files->counters[i], reason, log, err) < 0)
			return -1;
	return 0;
}

static void damaged_counters(struct round *round, const struct input_group *files)
{
	size_t i;

	for (i = 0; i < files->n_counters; i++)
		report_finding(round->report, &files->counters[i], COVERAGE_DAMAGED);
}

/* covdata takes the first of several meta-data files with one tag; here the first good one is
 * taken. */
static int choose_meta(struct round *round, struct round_group *group, struct program_cache *cache,
		       struct error *err)
{
	bool damaged = false, newer = false;
	size_t i;

	for (i = 0; i < group->files->n_meta; i++) {
		const struct input_file *meta = &group->files->meta[i];
		struct program *program;

		if (program_cache_get(cache, meta, &program, err) < 0)
			return -1;
		if (program && !program->reason) {
			group->program = program;
			group->kept = !meta->live;
			round->report->n_programs++;
			return 0;
		}
		damaged |= program != NULL;
		newer |= program && program->newer;
		if (program && skip_meta(round, program, meta, err) < 0) {
			program_release(program);
			return -1;
		}
		program_release(program);
	}
	if (damaged && !newer)
		damaged_counters(round, group->files);
	return damaged ? skip_counters(round, group->files,
				       "belongs to meta-data that can't be used", false, err)
		       : 0;
}

static int skip_orphans(struct round *round, struct error *err)
{
	const struct inputs *inputs = &round->inputs;
	size_t i;

	for (i = 0; i < inputs->n_orphans; i++)
		if (!inputs_meta_is_there_now(inputs, &inputs->orphans[i]) &&
		    skip_counters(round, &inputs->orphans[i], "has no meta-data file", true, err) <
			0)
			return -1;
	return 0;
}

int round_begin(struct round *round, struct program_cache *cache, struct error *err)
{
	const struct reader_request *request = round->request;
	struct reader_report *report = round->report;
	size_t i;

	if (inputs_gather(&round->inputs, request->set, request->live, err) < 0)
		return -1;
	report->findings = calloc(request->set->n_files + 1, sizeof *report->findings);
	round->groups = calloc(round->inputs.n_groups + 1, sizeof *round->groups);
	if (!round->groups || !report->findings)
		return error_no_memory(err);
	for (i = 0; i < round->inputs.n_groups; i++) {
		round->groups[i].files = &round->inputs.groups[i];
		if (choose_meta(round, &round->groups[i], cache, err) < 0)
			return -1;
	}
	return skip_orphans(round, err);
}

void round_free(struct round *round)
{
	size_t i;

	for (i = 0; round->groups && i < round->inputs.n_groups; i++) {
		program_release(round->groups[i].program);
		free(round->groups[i].first);
	}
	free(round->groups);
	inputs_free(&round->inputs);
}
