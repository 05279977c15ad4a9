#include "cgi/list/list_ended.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/collect/program_name.h"
#include "cgi/directory/coverage_list.h"
#include "cgi/directory/coverage_names.h"
#include "cgi/directory/inputs.h"
#include "cgi/directory/source_file.h"
#include "cgi/format/covmeta.h"
#include "cgi/sum/touched.h"

struct listing {
	struct ended_list *list;
	const struct live_report *live;
	const struct endings *endings;
	const struct deadline *deadline;
	struct inputs inputs;
	struct buffer scratch;
	uint64_t bytes; /* of the counter files that were looked into */
};

static void listing_free(struct listing *l)
{
	inputs_free(&l->inputs);
	buffer_free(&l->scratch);
}

static void program_free(struct ended_program *program)
{
	free(program->program);
	free(program->main_path);
	free(program->module_path);
	free(program->hash);
}

/* --- what the meta-data say ------------------------------------------------------------------ */

/* The module path stands in the package's own string table; NULL where it does not. */
static int read_module_path(const struct covpackage *package, char **path, struct error *err)
{
	cleanup_string_table struct string_table table = STRING_TABLE_INIT;
	struct byte_reader r = byte_reader_on(package->blob, package->blob_len);
	struct error why = {0};
	uint32_t index;

	byte_reader_take(&r, COVBLOB_HEADER_SIZE + (uint64_t)package->claimed_functions * 4);
	if (r.failed)
		return 0;
	if (string_table_read(&table, &r, &why) < 0)
		return why.class == ERROR_UNAVAILABLE ? error_no_memory(err) : 0;
	index = le32(package->blob + COVBLOB_AT_MODULE_PATH);
	if (index >= table.n || !table.strings[index].len)
		return 0;
	*path = strndup(table.strings[index].text, table.strings[index].len);
	return *path ? 0 : error_no_memory(err);
}

/* Packages stand in the order in which they were initialised: main is the last one. */
static int describe_main(struct ended_program *program, const struct covmeta *meta,
			 struct error *err)
{
	const struct covpackage *package;

	if (!meta->n_packages)
		return 0;
	package = meta->packages[meta->n_packages - 1];
	program->main_path = strndup(package->import_path.text, package->import_path.len);
	if (!program->main_path)
		return error_no_memory(err);
	return read_module_path(package, &program->module_path, err);
}

/* 1 = decoded, 0 = it can't be, -1. */
static int decode_meta(const struct input_file *input, struct covmeta *meta, struct error *err)
{
	cleanup_package_store struct package_store store = PACKAGE_STORE_INIT;
	struct error why = {0};
	bool gone, newer;
	cleanup_fd int fd = source_file_open(input->dir_fd, input->file->name, &gone, &why);

	if (fd >= 0 && covmeta_read(meta, fd, &store, &newer, &why) == 0)
		return 1;
	if (why.class != ERROR_UNAVAILABLE)
		return 0;
	*err = why;
	return error_prefix(err, "%s: ", input->file->name);
}

/* --- what the counters say ------------------------------------------------------------------- */

static int count_touched(struct listing *l, struct ended_program *program,
			 const struct input_group *group, const struct covmeta *meta,
			 struct error *err)
{
	cleanup_touched struct touched touched = TOUCHED_INIT;
	size_t i;

	if (touched_begin(&touched, meta, err) < 0)
		return -1;
	program->knows_functions = true;
	program->functions = touched_functions(&touched);
	for (i = 0; i < group->n_counters; i++) {
		l->bytes += group->counters[i].file->size;
		if (l->bytes > LIST_ENDED_MAX_BYTES)
			return 0;
		if (coverage_check_deadline(l->deadline, err) < 0 ||
		    touched_add(&touched, group->counters[i].dir_fd, group->counters[i].file->name,
				err) < 0)
			return -1;
	}
	program->knows_touched = !touched.incomplete;
	program->functions_touched = touched.n;
	return 0;
}

static const struct input_file *newest(const struct input_group *group)
{
	const struct input_file *found = NULL;
	size_t i;

	for (i = 0; i < group->n_counters; i++)
		if (!found || group->counters[i].file->time_ns > found->file->time_ns)
			found = &group->counters[i];
	return found;
}

static int name_program(struct listing *l, struct ended_program *program,
			const struct input_group *group, const struct input_file *counters,
			struct error *err)
{
	cleanup_buffer struct buffer name = BUFFER_INIT;

	if (counters && program_name_of_counters(counters, &l->scratch, &name, err) < 0)
		return -1;
	if (!name.len && program_name_of_meta(group->meta, &name, err) < 0)
		return -1;
	program->program = strdup(buffer_str(&name));
	return program->program ? 0 : error_no_memory(err);
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool has_process(const struct live_report *live, const struct coverage_file *meta)
{
	size_t i;

	for (i = 0; i < live->n; i++)
		if (coverage_tag_is(meta, live->processes[i].hash))
			return true;
	return false;
}

static int describe(struct listing *l, struct ended_program *program,
		    const struct input_group *group, struct error *err)
{
	cleanup_covmeta struct covmeta meta = COVMETA_INIT;
	const struct coverage_file *file = group->meta->file;
	const struct input_file *last = newest(group);
	int decoded;

	program->mode = file->mode;
	program->counter_files = group->n_counters;
	program->newest_ns = last ? last->file->time_ns : 0;
	program->hash = strndup(coverage_tag(file), file->tag_len);
	if (!program->hash)
		return error_no_memory(err);
	program->lost = endings_lost_of(l->endings, program->hash);
	program->may_be_running = l->endings->known && !group->n_counters && !program->lost;
	if (name_program(l, program, group, last, err) < 0)
		return -1;
	decoded = decode_meta(group->meta, &meta, err);
	if (decoded <= 0)
		return decoded;
	if (describe_main(program, &meta, err) < 0)
		return -1;
	return count_touched(l, program, group, &meta, err);
}

static int take_group(struct listing *l, const struct input_group *group, struct error *err)
{
	if (has_process(l->live, group->meta->file))
		return 0;
	if (coverage_check_deadline(l->deadline, err) < 0)
		return -1;
	return describe(l, &l->list->programs[l->list->n++], group, err);
}

static int by_name(const void *a_, const void *b_)
{
	const struct ended_program *a = a_, *b = b_;
	int order = strcmp(a->program, b->program);

	return order ? order : strcmp(a->hash, b->hash);
}

int ended_list_read(struct ended_list *list, const struct coverage_set *set,
		    const struct live_report *live, const struct endings *endings,
		    const struct deadline *deadline, struct error *err)
{
	cleanup_with(listing_free) struct listing l = {
	    .list = list, .live = live, .endings = endings, .deadline = deadline};
	size_t i;

	if (inputs_gather(&l.inputs, set, NULL, err) < 0)
		return -1;
	list->programs = calloc(l.inputs.n_groups + 1, sizeof *list->programs);
	if (!list->programs)
		return error_no_memory(err);
	for (i = 0; i < l.inputs.n_groups; i++)
		if (take_group(&l, &l.inputs.groups[i], err) < 0)
			return -1;
	qsort(list->programs, list->n, sizeof *list->programs, by_name);
	return 0;
}

void ended_list_free(struct ended_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		program_free(&list->programs[i]);
	free(list->programs);
	*list = ENDED_LIST_INIT;
}
