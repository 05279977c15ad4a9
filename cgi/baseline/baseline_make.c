#include "cgi/baseline/baseline_make.h"

#include <string.h>

#include "cgi/baseline/baseline_store.h"
#include "cgi/collect/program_name.h"
#include "cgi/directory/coverage_names.h"
#include "cgi/directory/input_read.h"
#include "cgi/sum/program_sum.h"

struct making {
	struct baseline_writer writer;
	const struct collection *collection;
	const struct selection *selection;
	const struct deadline *deadline;
	struct buffer scratch;
	struct file_bytes bytes;
	size_t n_skipped;
};

static void making_free(struct making *m)
{
	baseline_writer_close(&m->writer);
	buffer_free(&m->scratch);
	file_bytes_free(&m->bytes);
}

/* The counter files of one program, and the names under which it ran. */
struct named_group {
	const struct input_group *files;
	struct buffer *names;		  /* owned; one for each counter file */
	const struct input_file **chosen; /* owned; those of one name */
};

static void named_group_free(struct named_group *group)
{
	size_t i;

	for (i = 0; group->names && i < group->files->n_counters; i++)
		buffer_free(&group->names[i]);
	free(group->names);
	free(group->chosen);
}

/* --- names ----------------------------------------------------------------------------------- */

/* The process that a snapshot was made of; NULL for a file that is none. */
static const struct live_process *process_of(const struct making *m, const struct input_file *input)
{
	const struct live_report *live = &m->collection->live;
	size_t i;

	for (i = 0; input->live && i < live->n; i++)
		if (live->processes[i].counters_file &&
		    strcmp(live->processes[i].counters_file, input->file->name) == 0)
			return &live->processes[i];
	return NULL;
}

/* As service_filter.h has it: what is cleared for a name is what is shown for it. */
static int find_name(struct making *m, const struct input_group *group,
		     const struct input_file *input, struct buffer *name, struct error *err)
{
	const struct live_process *process = process_of(m, input);

	buffer_puts(name, ""); /* one without a name has memory, too: choose() tells by that */
	if (process && process->program)
		buffer_puts(name, process->program);
	else if (program_name_of_counters(input, &m->scratch, name, err) < 0)
		return -1;
	if (!name->len && !name->failed)
		return program_name_of_meta(group->meta, name, err);
	return name->failed ? error_no_memory(err) : 0;
}

static int find_names(struct making *m, struct named_group *group, struct error *err)
{
	size_t n = group->files->n_counters, i;

	group->names = calloc(n + 1, sizeof *group->names);
	group->chosen = calloc(n + 1, sizeof *group->chosen);
	if (!group->names || !group->chosen)
		return error_no_memory(err);
	for (i = 0; i < n; i++)
		if (find_name(m, group->files, &group->files->counters[i], &group->names[i], err) <
		    0)
			return -1;
	return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

/* Read a file of the collection, or of the baseline before. */
static int read_input(struct making *m, const struct input_file *input, struct error *err)
{
	bool gone;

	if (input_read(input, &m->bytes, &gone, err) < 0)
		return error_prefix(err, "%s/%s ", input->dir, input->file->name);
	return 0;
}

/* The meta-data file itself; its hash is left in `hash`. */
static int put_meta(struct making *m, const struct input_file *meta,
		    unsigned char hash[COVERAGE_HASH_SIZE], struct error *err)
{
	if (read_input(m, meta, err) < 0)
		return -1;
	if (m->bytes.len < COVMETA_HEADER_SIZE)
		return error_set(err, ERROR_UNAVAILABLE, "%s/%s is being replaced: try again",
				 meta->dir, meta->file->name);
	memcpy(hash, m->bytes.data + COVMETA_AT_HASH, COVERAGE_HASH_SIZE);
	return baseline_writer_meta(&m->writer, meta->file->name, m->bytes.data, m->bytes.len, err);
}

/* Programs of which nothing has run need not be in a baseline. */
static int put_sum(struct making *m, const struct input_file *meta, const struct buffer *name,
		   const struct baseline_process *process, const struct counter_entries *entries,
		   struct error *err)
{
	cleanup_string_list struct string_list argv = STRING_LIST_INIT;
	cleanup_buffer struct buffer content = BUFFER_INIT;
	unsigned char hash[COVERAGE_HASH_SIZE];

	if (entries->bytes.failed)
		return error_no_memory(err);
	if (entries->n == 0)
		return 0;
	if (string_list_add(&argv, buffer_str(name), name->len) < 0)
		return error_no_memory(err);
	if (put_meta(m, meta, hash, err) < 0)
		return -1;
	covcounters_write(&content, hash, &argv, "", entries);
	if (content.failed)
		return error_no_memory(err);
	return baseline_writer_counters(&m->writer, coverage_tag(meta->file), meta->file->tag_len,
					process, content.data, content.len, err);
}

/*
 * Take the counter files with the name of the one at `from` off the group: how many there are. That
 * of a process stays alone, to be found again by the process.
 */
static size_t choose(const struct making *m, struct named_group *group, struct buffer *name,
		     size_t from)
{
	const struct input_file **counters = group->chosen;
	size_t n = 0, i;

	*name = group->names[from];
	group->names[from] = BUFFER_INIT;
	counters[n++] = &group->files->counters[from];
	if (process_of(m, counters[0]))
		return n;
	for (i = from + 1; i < group->files->n_counters; i++) {
		if (!group->names[i].data || process_of(m, &group->files->counters[i]) ||
		    group->names[i].len != name->len ||
		    memcmp(group->names[i].data, name->data, name->len) != 0)
			continue;
		counters[n++] = &group->files->counters[i];
		buffer_free(&group->names[i]);
	}
	return n;
}

static int add_program(struct making *m, const struct input_group *files, struct error *err)
{
	cleanup_with(named_group_free) struct named_group group = {.files = files};
	cleanup_program_sum struct program_sum sum = PROGRAM_SUM_INIT;
	size_t i, n;

	if (find_names(m, &group, err) < 0 || program_sum_begin(&sum, files, err) < 0)
		return -1;
	for (i = 0; sum.from && i < files->n_counters; i++) {
		cleanup_counter_entries struct counter_entries entries = COUNTER_ENTRIES_INIT;
		cleanup_buffer struct buffer name = BUFFER_INIT;
		const struct live_process *process;
		struct baseline_process id;

		if (!group.names[i].data)
			continue;
		n = choose(m, &group, &name, i);
		process = process_of(m, group.chosen[0]);
		if (!process && m->selection->chosen[CHOICE_ADDRESS]->n)
			continue;
		if (process)
			id =
			    (struct baseline_process){(uint64_t)process->pid, process->start_ticks};
		if (program_sum_count(&sum, group.chosen, n, m->deadline, err) < 0)
			return -1;
		program_sum_take(&sum, &entries);
		if (put_sum(m, sum.from, &name, process ? &id : NULL, &entries, err) < 0)
			return -1;
	}
	m->n_skipped += sum.n_skipped;
	return 0;
}

static int add_collection(struct making *m, struct error *err)
{
	cleanup_inputs struct inputs inputs = INPUTS_INIT;
	size_t i;

	if (inputs_gather(&inputs, &m->collection->set, &m->collection->live_files, err) < 0)
		return -1;
	for (i = 0; i < inputs.n_groups; i++)
		if (inputs.groups[i].n_counters && add_program(m, &inputs.groups[i], err) < 0)
			return -1;
	return 0;
}

/* --- what stays of the baseline before ------------------------------------------------------- */

/* Is this file of the baseline before among what is cleared now? */
static bool is_chosen(const struct making *m, const struct coverage_file *file,
		      const struct buffer *name)
{
	const struct string_list *names = m->selection->chosen[CHOICE_SERVICE];
	const struct live_report *live = &m->collection->live;
	size_t i;

	if ((names->n && !string_list_has(names, buffer_str(name), name->len)) ||
	    !selection_has_build(m->selection, file))
		return false;
	for (i = 0; m->selection->chosen[CHOICE_ADDRESS]->n && i < live->n; i++)
		if (baseline_is_of_process(file, &live->processes[i]))
			return true;
	return !m->selection->chosen[CHOICE_ADDRESS]->n;
}

static int keep_program(struct making *m, const struct input_group *group, struct error *err)
{
	unsigned char hash[COVERAGE_HASH_SIZE];
	size_t i;

	for (i = 0; i < group->n_counters; i++) {
		const struct input_file *counters = &group->counters[i];
		cleanup_buffer struct buffer name = BUFFER_INIT;
		struct baseline_process id;

		if (find_name(m, group, counters, &name, err) < 0)
			return -1;
		if (is_chosen(m, counters->file, &name))
			continue;
		if (put_meta(m, group->meta, hash, err) < 0 || read_input(m, counters, err) < 0 ||
		    baseline_writer_counters(&m->writer, coverage_tag(counters->file),
					     counters->file->tag_len,
					     baseline_process_of(counters->file, &id) ? &id : NULL,
					     m->bytes.data, m->bytes.len, err) < 0)
			return -1;
	}
	return 0;
}

static int keep_others(struct making *m, const struct state_dir *state, int64_t before_ns,
		       struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_inputs struct inputs inputs = INPUTS_INIT;
	size_t i;

	if (baseline_files(&set, state, m->writer.key, before_ns, m->deadline, err) < 0 ||
	    inputs_gather(&inputs, &set, NULL, err) < 0)
		return -1;
	for (i = 0; i < inputs.n_groups; i++)
		if (keep_program(m, &inputs.groups[i], err) < 0)
			return -1;
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

int baseline_make(struct baseline_made *made, const struct state_dir *state,
		  const struct collection *collection, const struct selection *selection,
		  const struct deadline *deadline, struct error *err)
{
	cleanup_with(making_free) struct making m = {
	    .writer = BASELINE_WRITER_INIT,
	    .collection = collection,
	    .selection = selection,
	    .deadline = deadline,
	};
	int64_t before_ns;

	if (baseline_writer_begin(&m.writer, state, &collection->set.dirs, err) < 0)
		return -1;
	before_ns = baseline_latest(state, m.writer.key, err);
	if (before_ns < 0 || (before_ns && !selection_is_all(selection) &&
			      keep_others(&m, state, before_ns, err) < 0))
		return -1;
	if (add_collection(&m, err) < 0 || baseline_writer_end(&m.writer, err) < 0)
		return -1;
	*made = (struct baseline_made){m.writer.set_ns, m.n_skipped};
	return 0;
}
