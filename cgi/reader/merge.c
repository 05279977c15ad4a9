#include "cgi/reader/merge.h"

/* An entry that will be added when the whole file has been found good. */
struct merge_step {
	struct covcounters_entry entry;
	size_t first_counter;
	uint32_t n; /* counters to add */
};

static int add_step(struct merge_work *work, const struct merge_step *step, struct error *err)
{
	size_t cap = work->cap ? 2 * work->cap : 1024;
	struct merge_step *steps;

	if (work->n_steps == work->cap) {
		steps = realloc(work->steps, cap * sizeof *steps);
		if (!steps)
			return error_no_memory(err);
		work->steps = steps;
		work->cap = cap;
	}
	work->steps[work->n_steps++] = *step;
	return 0;
}

static int plan_entry(const struct merge_target *target, const struct covcounters_entry *entry,
		      struct merge_work *work, struct merge_notes *notes, struct error *err)
{
	const struct covpackage *package;
	const struct covfunction *function;

	if (entry->package >= target->meta->n_packages) {
		notes->ignored++;
		return 0;
	}
	package = target->meta->packages[entry->package];
	if (entry->function >= package->n_functions) {
		/* covdata's check is off by one: it takes one function too many, in silence */
		notes->ignored += entry->function > package->claimed_functions;
		return 0;
	}
	function = &package->functions[entry->function];
	if (entry->n == 0 || function->n_units == 0)
		return 0;
	if (entry->n < function->n_units && entry->package == 0) {
		notes->ignored++;
		return 0;
	}
	if (entry->n < function->n_units)
		return error_set(err, ERROR_INTERNAL,
				 "has %u counters for a function with %u statement blocks",
				 entry->n, function->n_units);
	return add_step(work,
			&(struct merge_step){
				*entry, target->first[entry->package] + function->first_unit,
				function->n_units },
			err);
}

int merge_counter_file(const struct merge_target *target, const uint8_t *bytes, size_t len,
		       uint32_t *counters, struct merge_work *work, struct merge_notes *notes,
		       struct error *err)
{
	struct covcounters_entry entry;
	struct covcounters c;
	size_t i;
	int more;

	*notes = (struct merge_notes){ false, 0 };
	work->n_steps = 0;
	if (covcounters_open(&c, bytes, len, &notes->newer, err) < 0)
		return -1;
	while ((more = covcounters_next(&c, &entry, err)) > 0)
		if (plan_entry(target, &entry, work, notes, err) < 0)
			return -1;
	if (more < 0)
		return -1;
	for (i = 0; i < work->n_steps; i++)
		covcounters_add(&c, &work->steps[i].entry, work->steps[i].n,
				target->meta->mode == COUNTER_MODE_SET,
				counters + work->steps[i].first_counter);
	return 0;
}

void merge_work_free(struct merge_work *work)
{
	free(work->steps);
	*work = MERGE_WORK_INIT;
}
