#include "cgi/reader/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/coverage/coverage_list.h"

static int open_dirs(struct inputs *inputs, const struct coverage_set *set, struct error *err)
{
	inputs->dir_fds = calloc(set->dirs.n + 1, sizeof *inputs->dir_fds);
	if (!inputs->dir_fds)
		return error_no_memory(err);
	for (; inputs->n_dirs < set->dirs.n; inputs->n_dirs++) {
		const char *path = set->dirs.items[inputs->n_dirs].text;
		int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return error_errno(err, ERROR_INTERNAL, errno,
					   "can't open the coverage directory %s", path);
		inputs->dir_fds[inputs->n_dirs] = fd;
	}
	return 0;
}

static int list_live(struct inputs *inputs, int dir_fd, const struct deadline *deadline,
		     struct error *err)
{
	static const char name[] = "(running processes)";
	size_t room = 0;

	if (dir_fd < 0)
		return 0;
	if (string_list_add(&inputs->live.dirs, name, sizeof name - 1) < 0)
		return error_no_memory(err);
	return coverage_list(&inputs->live, &room, dir_fd, 0, deadline, err);
}

/* Append the files of a set; fds[i] is the descriptor of its directory i. */
static void append(struct inputs *inputs, const struct coverage_set *set, const int *fds, bool live)
{
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		const struct coverage_file *file = &set->files[i];

		inputs->files[inputs->n_files] = (struct input_file){
		    file, set->dirs.items[file->dir].text, fds[file->dir], live, inputs->n_files,
		};
		inputs->n_files++;
	}
}

static int compare_tags(const struct input_file *a, const struct input_file *b)
{
	size_t a_len = a->file->tag_len, b_len = b->file->tag_len;
	int order =
	    memcmp(coverage_tag(a->file), coverage_tag(b->file), a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_files(const void *a_, const void *b_)
{
	const struct input_file *a = a_, *b = b_;
	int order = compare_tags(a, b);

	if (!order)
		order = (a->file->kind == COVERAGE_COUNTERS) - (b->file->kind == COVERAGE_COUNTERS);
	return order ? order : (a->rank > b->rank) - (a->rank < b->rank);
}

/* The group that begins at files[at]; returns where the next one begins. */
static size_t take_group(const struct inputs *inputs, size_t at, struct input_group *group)
{
	const struct input_file *first = &inputs->files[at];
	size_t end = at, n_meta = 0;

	while (end < inputs->n_files && compare_tags(&inputs->files[end], first) == 0) {
		n_meta += inputs->files[end].file->kind == COVERAGE_META;
		end++;
	}
	*group = (struct input_group){first, n_meta, first + n_meta, end - at - n_meta};
	return end;
}

static int make_groups(struct inputs *inputs, struct error *err)
{
	struct input_group group;
	size_t at;

	qsort(inputs->files, inputs->n_files, sizeof *inputs->files, compare_files);
	inputs->groups = calloc(inputs->n_files + 1, sizeof *inputs->groups);
	inputs->orphans = calloc(inputs->n_files + 1, sizeof *inputs->orphans);
	if (!inputs->groups || !inputs->orphans)
		return error_no_memory(err);
	for (at = 0; at < inputs->n_files;) {
		at = take_group(inputs, at, &group);
		if (group.n_meta)
			inputs->groups[inputs->n_groups++] = group;
		else
			inputs->orphans[inputs->n_orphans++] = group;
	}
	return 0;
}

/* covdata takes the programs by the path of their meta-data. */
static int compare_groups(const void *a_, const void *b_)
{
	const struct input_file *a = ((const struct input_group *)a_)->meta;
	const struct input_file *b = ((const struct input_group *)b_)->meta;
	int order = (int)a->live - (int)b->live;

	if (!order)
		order = strcmp(a->dir, b->dir);
	return order ? order : strcmp(a->file->name, b->file->name);
}

int inputs_gather(struct inputs *inputs, const struct coverage_set *set, int live_dir_fd,
		  const struct deadline *deadline, struct error *err)
{
	if (open_dirs(inputs, set, err) < 0 || list_live(inputs, live_dir_fd, deadline, err) < 0)
		return -1;
	inputs->files = malloc((set->n_files + inputs->live.n_files + 1) * sizeof *inputs->files);
	if (!inputs->files)
		return error_no_memory(err);
	append(inputs, set, inputs->dir_fds, false);
	append(inputs, &inputs->live, &live_dir_fd, true);
	if (make_groups(inputs, err) < 0)
		return -1;
	qsort(inputs->groups, inputs->n_groups, sizeof *inputs->groups, compare_groups);
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
	while (inputs->n_dirs)
		close(inputs->dir_fds[--inputs->n_dirs]);
	free(inputs->dir_fds);
	free(inputs->files);
	free(inputs->groups);
	free(inputs->orphans);
	coverage_set_free(&inputs->live);
	*inputs = INPUTS_INIT;
}
