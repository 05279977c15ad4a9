#include "cgi/sum/merge.h"

#include "cgi/base/array.h"

/* An entry that will be added when the whole file has been found good. */
struct merge_step {
	uint32_t values_at; /* offset in the file */
	uint32_t first_counter;
	uint32_t n; /* counters to add */
};

/* One file on its way. */
struct merge {
	const struct merge_target *target;
	struct merge_work *work;
	struct merge_notes *notes;
	const uint8_t *bytes;
	/* entries come package by package: the one at hand */
	uint32_t package_index;
	const struct covpackage *package; /* NULL = none yet */
};

static int grow(struct merge_work *work, struct error *err)
{
	struct merge_step *steps =
	    array_grow(work->steps, &work->cap, work->n_steps, 1, sizeof *steps);

	if (!steps)
		return error_no_memory(err);
	work->steps = steps;
	return 0;
}

/* The package of the entry; NULL where the meta-data has no such. */
static inline const struct covpackage *find_package(struct merge *m, uint32_t index)
{
	if (m->package && m->package_index == index)
		return m->package;
	if (index >= m->target->meta->n_packages)
		return NULL;
	m->package_index = index;
	m->package = m->target->meta->packages[index];
	return m->package;
}

/* An entry whose number of counters is not that of the function: 0 = pass over it, -1 = damaged. */
static int judge_length(const struct merge *m, const struct covcounters_entry *entry,
			uint32_t n_units, struct error *err)
{
	if (entry->n == 0)
		return 0;
	if (entry->package == 0 && entry->n < n_units) {
		m->notes->ignored++;
		return 0;
	}
	return error_set(err, ERROR_INTERNAL,
			 "has %u counters for a function with %u statement blocks", entry->n,
			 n_units);
}

static inline int plan_entry(struct merge *m, const struct covcounters_entry *entry,
			     struct error *err)
{
	const struct covpackage *package = find_package(m, entry->package);
	const struct covfunction *function;

	if (!package || entry->function >= package->n_functions) {
		/* covdata's check is off by one: it takes one function too many, in silence */
		m->notes->ignored += !package || entry->function > package->claimed_functions;
		return 0;
	}
	function = &package->functions[entry->function];
	if (entry->n != function->n_units)
		return judge_length(m, entry, function->n_units, err);
	if (m->work->n_steps == m->work->cap && grow(m->work, err) < 0)
		return -1;
	m->work->steps[m->work->n_steps++] = (struct merge_step){
	    (uint32_t)(entry->values - m->bytes),
	    (uint32_t)m->target->first[entry->package] + function->first_unit,
	    function->n_units,
	};
	return 0;
}

static void run_steps(const struct merge *m, const struct covcounters *c,
		      const struct merge_sink *sink)
{
	const struct merge_step *step = m->work->steps, *end = step + m->work->n_steps;

	if (sink->marks)
		for (; step < end; step++)
			covcounters_mark(c, m->bytes + step->values_at, step->n,
					 sink->marks + step->first_counter);
	else
		for (; step < end; step++)
			covcounters_add(c, m->bytes + step->values_at, step->n,
					sink->counters + step->first_counter);
}

int merge_counter_file(const struct merge_target *target, const uint8_t *bytes, size_t len,
		       const struct merge_sink *sink, struct merge_work *work,
		       struct merge_notes *notes, struct error *err)
{
	struct merge m = {target, work, notes, bytes, 0, NULL};
	struct covcounters_entry entry;
	struct covcounters c;
	int more;

	*notes = (struct merge_notes){false, 0};
	work->n_steps = 0;
	if (covcounters_open(&c, bytes, len, &notes->newer, err) < 0)
		return -1;
	while ((more = covcounters_next(&c, &entry, err)) > 0)
		if (plan_entry(&m, &entry, err) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (work->n_steps)
		run_steps(&m, &c, sink);
	return 0;
}

void merge_work_free(struct merge_work *work)
{
	free(work->steps);
	*work = MERGE_WORK_INIT;
}
