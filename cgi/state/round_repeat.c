/*
 * A round in which nothing has happened in the directories since the one before: then it takes as
 * long for thousands of files as for one.
 */
#include "cgi/directory/coverage_names.h"
#include "cgi/state/round.h"

/* --- when it can be -------------------------------------------------------------------------- */

static bool are_seen_alone(const struct kept *kept)
{
	size_t i;

	for (i = 0; i < kept->n_files; i++)
		if (kept->files[i].outcome != LOAD_ADDED || kept->files[i].identity.links != 1)
			return false;
	for (i = 0; i < kept->n_programs; i++)
		if (kept->programs[i].program->identity.links != 1)
			return false;
	return true;
}

/* Does each program of the directories have its part in the sum? */
static bool is_complete(const struct round *round, const struct kept *kept)
{
	const struct inputs *inputs = &round->inputs;
	size_t i;

	for (i = 0; i < inputs->n_groups; i++)
		if (!round->groups[i].kept && !inputs->groups[i].meta->live)
			return false;
	return !inputs->n_orphans && kept->n_files == round->request->set->n_counters;
}

void round_settle(const struct round *round, struct kept *kept)
{
	const struct coverage_set *set = round->request->set;
	const struct reader_report *report = round->report;

	kept->settled = 0;
	if (set->cut || report->n_skipped || report->newer_format || !is_complete(round, kept) ||
	    !are_seen_alone(kept))
		return;
	kept->ignored = report->ignored_entries;
	kept->settled = set->generation;
}

/* --- doing it -------------------------------------------------------------------------------- */

static struct program *find_program(const struct kept *kept, const struct coverage_file *file)
{
	size_t i;

	for (i = 0; i < kept->n_programs; i++)
		if (coverage_tag_is(file, kept->programs[i].program->tag))
			return kept->programs[i].program;
	return NULL;
}

/* Their snapshots need no other program, and bring none. */
static bool knows_all(const struct kept *kept, const struct memory_files *live)
{
	size_t i;

	for (i = 0; live && i < live->n; i++)
		if (live->list[i]->file.kind != COVERAGE_COUNTERS ||
		    !find_program(kept, &live->list[i]->file))
			return false;
	return true;
}

bool round_repeats(const struct reader_request *request, const struct kept *kept)
{
	return kept->settled && request->set->generation == kept->settled && !request->set->cut &&
	       knows_all(kept, request->live);
}

static void tell(struct reader_report *report, const struct kept *kept)
{
	report->n_programs = kept->n_programs;
	report->n_counter_files = kept->n_files;
	report->ignored_entries = kept->ignored;
	report->all_good = true;
}

int round_repeat(struct round *round, const struct kept *kept, struct program_cache *cache,
		 struct error *err)
{
	struct inputs *inputs = &round->inputs;
	size_t i;

	if (inputs_gather_live(inputs, round->request->live, err) < 0)
		return -1;
	round->groups = calloc(inputs->n_groups + 1, sizeof *round->groups);
	if (!round->groups)
		return error_no_memory(err);
	for (i = 0; i < inputs->n_groups; i++) {
		struct program *program = find_program(kept, inputs->groups[i].counters->file);

		round->groups[i] = (struct round_group){
		    .files = &inputs->groups[i],
		    .program = program_use(program),
		    .kept = true,
		};
	}
	for (i = 0; i < kept->n_programs; i++)
		program_cache_use(cache, kept->programs[i].program);
	tell(round->report, kept);
	return 0;
}
