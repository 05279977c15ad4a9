#include "cgi/collect/service_filter.h"

#include <string.h>

#include "cgi/base/buffer.h"
#include "cgi/collect/program_name.h"
#include "cgi/directory/coverage_list.h"
#include "cgi/directory/coverage_names.h"
#include "cgi/directory/inputs.h"

struct filter {
	struct coverage_set *set;
	const struct live_report *live;
	const struct string_list *services;
	bool *known; /* not owned; NULL = nobody asks */
	const struct deadline *deadline;
	struct inputs inputs;
	bool *keep; /* owned; one for each file of the set */
	size_t looked_at;
	struct buffer scratch;
};

static void filter_free(struct filter *f)
{
	inputs_free(&f->inputs);
	free(f->keep);
	buffer_free(&f->scratch);
}

static bool *keep_of(const struct filter *f, const struct input_file *input)
{
	return &f->keep[input->file - f->set->files];
}

static bool is_wanted(const struct filter *f, const struct buffer *name)
{
	return name->len && string_list_has(f->services, buffer_str(name), name->len);
}

static void note_known(const struct filter *f, const struct buffer *name)
{
	size_t i;

	for (i = 0; f->known && i < f->services->n; i++)
		if (f->services->items[i].len == name->len &&
		    memcmp(f->services->items[i].text, buffer_str(name), name->len) == 0)
			f->known[i] = true;
}

/* Is it the meta-data of a process that was read (and so has one of the names)? */
static bool is_live(const struct filter *f, const struct coverage_file *meta)
{
	size_t i;

	for (i = 0; i < f->live->n; i++) {
		const struct live_process *p = &f->live->processes[i];

		if (p->state == LIVE_READ && coverage_tag_is(meta, p->hash))
			return true;
	}
	return false;
}

static int check_deadline(struct filter *f, struct error *err)
{
	return coverage_check_step(f->deadline, f->looked_at++, err);
}

static int judge_counters(struct filter *f, const struct input_file *counters,
			  const struct buffer *meta_name, struct error *err)
{
	cleanup_buffer struct buffer name = BUFFER_INIT;

	if (check_deadline(f, err) < 0 ||
	    program_name_of_counters(counters, &f->scratch, &name, err) < 0)
		return -1;
	*keep_of(f, counters) = is_wanted(f, name.len ? &name : meta_name);
	note_known(f, name.len ? &name : meta_name);
	return 0;
}

static int judge_group(struct filter *f, const struct input_group *group, struct error *err)
{
	cleanup_buffer struct buffer name = BUFFER_INIT;
	bool keep;
	size_t i;

	if (check_deadline(f, err) < 0 || program_name_of_meta(group->meta, &name, err) < 0)
		return -1;
	keep = is_live(f, group->meta->file) || (!group->n_counters && is_wanted(f, &name));
	if (!group->n_counters)
		note_known(f, &name);
	for (i = 0; i < group->n_counters; i++) {
		if (judge_counters(f, &group->counters[i], &name, err) < 0)
			return -1;
		keep |= *keep_of(f, &group->counters[i]);
	}
	for (i = 0; i < group->n_meta; i++)
		*keep_of(f, &group->meta[i]) = keep;
	return 0;
}

int service_filter_apply(struct coverage_set *set, const struct live_report *live,
			 const struct string_list *services, bool *known,
			 const struct deadline *deadline, struct error *err)
{
	cleanup_with(filter_free) struct filter f = {
	    .set = set, .live = live, .services = services, .known = known, .deadline = deadline};
	size_t i;

	if (!services->n)
		return 0;
	f.keep = calloc(set->n_files + 1, sizeof *f.keep);
	if (!f.keep)
		return error_no_memory(err);
	if (inputs_gather(&f.inputs, set, NULL, err) < 0)
		return -1;
	for (i = 0; i < f.inputs.n_groups; i++)
		if (judge_group(&f, &f.inputs.groups[i], err) < 0)
			return -1;
	return coverage_set_keep(set, f.keep, err);
}
