#include "cgi/directory/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/directory/coverage_names.h"

int inputs_open(struct inputs *inputs, const struct coverage_set *set, struct error *err)
{
	inputs->opened = calloc(set->dirs.n + 1, sizeof *inputs->opened);
	if (!inputs->opened)
		return error_no_memory(err);
	inputs->dir_fds = inputs->opened;
	for (; inputs->n_dirs < set->dirs.n; inputs->n_dirs++) {
		const char *path = set->dirs.items[inputs->n_dirs].text;
		int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return error_errno(err, ERROR_INTERNAL, errno,
					   "can't open the coverage directory %s", path);
		inputs->opened[inputs->n_dirs] = fd;
	}
	return 0;
}

void inputs_borrow(struct inputs *inputs, const int *dir_fds, size_t n)
{
	inputs->dir_fds = dir_fds;
	inputs->n_dirs = n;
}

/* Append the files of one kind, those of the running processes at last. */
static void append_kind(struct inputs *inputs, const struct coverage_set *set,
			enum coverage_kind kind, const struct memory_files *live)
{
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		const struct coverage_file *file = &set->files[i];

		if (file->kind == kind)
			inputs->files[inputs->n_files++] =
			    (struct input_file){file, set->dirs.items[file->dir].text,
						inputs->dir_fds[file->dir], NULL, i};
	}
	for (i = 0; live && i < live->n; i++) {
		struct memory_file *file = live->list[i];

		if (file->file.kind == kind)
			inputs->files[inputs->n_files++] = (struct input_file){
			    &file->file, "(running processes)", -1, file, set->n_files + i};
	}
}

static int compare_tags(const struct input_file *a, const struct input_file *b)
{
	return coverage_compare_tags(a->file, b->file);
}

static int compare_files(const void *a_, const void *b_)
{
	const struct input_file *a = a_, *b = b_;
	int order = compare_tags(a, b);

	return order ? order : (a->rank > b->rank) - (a->rank < b->rank);
}

/* Files come sorted by name, directory by directory: as a rule that is this very order. */
static void sort_by_tag(struct input_file *files, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (compare_files(&files[i - 1], &files[i]) > 0) {
			qsort(files, n, sizeof *files, compare_files);
			return;
		}
}

/* How many files there are from `at` on that have the tag of `first`. */
static size_t run_length(const struct input_file *at, const struct input_file *end,
			 const struct input_file *first)
{
	size_t n = 0;

	while (at + n < end && compare_tags(at + n, first) == 0)
		n++;
	return n;
}

/* Both kinds are sorted by tag: where they meet is a program. */
static int make_groups(struct inputs *inputs, size_t n_meta, struct error *err)
{
	const struct input_file *meta = inputs->files, *counters = meta + n_meta;
	const struct input_file *meta_end = counters, *end = meta + inputs->n_files;

	inputs->groups = malloc((n_meta + 1) * sizeof *inputs->groups);
	inputs->orphans = malloc((inputs->n_files + 1) * sizeof *inputs->orphans);
	if (!inputs->groups || !inputs->orphans)
		return error_no_memory(err);
	while (meta < meta_end || counters < end) {
		bool has_meta =
		    meta < meta_end && (counters == end || compare_tags(meta, counters) <= 0);
		const struct input_file *first = has_meta ? meta : counters;
		struct input_group group = {meta, run_length(meta, meta_end, first), counters,
					    run_length(counters, end, first)};

		if (has_meta)
			inputs->groups[inputs->n_groups++] = group;
		else
			inputs->orphans[inputs->n_orphans++] = group;
		meta += group.n_meta;
		counters += group.n_counters;
	}
	return 0;
}

/* covdata takes the programs by the path of their meta-data. */
static int compare_groups(const void *a_, const void *b_)
{
	const struct input_file *a = ((const struct input_group *)a_)->meta;
	const struct input_file *b = ((const struct input_group *)b_)->meta;
	int order = (a->live != NULL) - (b->live != NULL);

	if (!order)
		order = strcmp(a->dir, b->dir);
	return order ? order : strcmp(a->file->name, b->file->name);
}

/* live: NULL = none. */
static int gather(struct inputs *inputs, const struct coverage_set *set,
		  const struct memory_files *live, struct error *err)
{
	size_t n_meta, n = set->n_files + (live ? live->n : 0);

	inputs->files = malloc((n + 1) * sizeof *inputs->files);
	if (!inputs->files)
		return error_no_memory(err);
	append_kind(inputs, set, COVERAGE_META, live);
	n_meta = inputs->n_files;
	append_kind(inputs, set, COVERAGE_COUNTERS, live);
	sort_by_tag(inputs->files, n_meta);
	sort_by_tag(inputs->files + n_meta, inputs->n_files - n_meta);
	if (make_groups(inputs, n_meta, err) < 0)
		return -1;
	qsort(inputs->groups, inputs->n_groups, sizeof *inputs->groups, compare_groups);
	return 0;
}

int inputs_gather(struct inputs *inputs, const struct coverage_set *set,
		  const struct memory_files *live, struct error *err)
{
	if (!inputs->dir_fds && inputs_open(inputs, set, err) < 0)
		return -1;
	return gather(inputs, set, live, err);
}

int inputs_gather_live(struct inputs *inputs, const struct memory_files *live, struct error *err)
{
	const struct coverage_set none = COVERAGE_SET_INIT;

	if (gather(inputs, &none, live, err) < 0)
		return -1;
	free(inputs->groups);
	inputs->groups = steal_ptr(inputs->orphans);
	inputs->n_groups = inputs->n_orphans;
	inputs->n_orphans = 0;
	return 0;
}

bool inputs_meta_is_there_now(const struct inputs *inputs, const struct input_group *orphan)
{
	const struct coverage_file *file = orphan->counters->file;
	char name[NAME_MAX + 1];
	struct stat st;
	size_t i;

	snprintf(name, sizeof name, "covmeta.%.*s", (int)file->tag_len, coverage_tag(file));
	for (i = 0; i < inputs->n_dirs; i++)
		if (fstatat(inputs->dir_fds[i], name, &st, 0) == 0)
			return true;
	return false;
}

void inputs_free(struct inputs *inputs)
{
	while (inputs->opened && inputs->n_dirs)
		close(inputs->opened[--inputs->n_dirs]);
	free(inputs->opened);
	free(inputs->files);
	free(inputs->groups);
	free(inputs->orphans);
	*inputs = INPUTS_INIT;
}
