/* Copies of a set, which have their content in common until one of them is changed. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/directory/coverage_set.h"

/* Immutable; it counts the sets that have it. */
struct shared_content {
	atomic_uint users;
	struct string_list dirs;
	struct coverage_file *files; /* owned */
	size_t n_files;
};

static void free_content(struct string_list *dirs, struct coverage_file *files, size_t n_files)
{
	size_t i;

	for (i = 0; i < n_files; i++)
		free(files[i].name);
	free(files);
	string_list_free(dirs);
}

static void release(struct shared_content *content)
{
	if (atomic_fetch_sub(&content->users, 1) != 1)
		return;
	free_content(&content->dirs, content->files, content->n_files);
	free(content);
}

static int copy_dirs(struct coverage_set *copy, const struct coverage_set *set)
{
	size_t i;

	for (i = 0; i < set->dirs.n; i++)
		if (string_list_add(&copy->dirs, set->dirs.items[i].text, set->dirs.items[i].len) <
		    0)
			return -1;
	return 0;
}

static int copy_files(struct coverage_set *copy, const struct coverage_set *set)
{
	copy->files = calloc(set->n_files + 1, sizeof *copy->files);
	if (!copy->files)
		return -1;
	for (; copy->n_files < set->n_files; copy->n_files++) {
		struct coverage_file *file = &copy->files[copy->n_files];

		*file = set->files[copy->n_files];
		file->name = strdup(file->name);
		if (!file->name)
			return -1;
	}
	return 0;
}

/* A copy that has everything for itself. */
static int copy_content(struct coverage_set *copy, const struct coverage_set *set,
			struct error *err)
{
	*copy = COVERAGE_SET_INIT;
	if (copy_dirs(copy, set) < 0 || copy_files(copy, set) < 0)
		return error_no_memory(err);
	copy->n_meta = set->n_meta;
	copy->n_counters = set->n_counters;
	copy->skipped = set->skipped;
	copy->vanished = set->vanished;
	copy->generation = set->generation;
	copy->cut = set->cut;
	return 0;
}

void coverage_set_share(struct coverage_set *set)
{
	struct shared_content *content = set->shared ? NULL : calloc(1, sizeof *content);

	if (!content)
		return;
	atomic_init(&content->users, 1);
	content->dirs = set->dirs;
	content->files = set->files;
	content->n_files = set->n_files;
	set->shared = content;
}

int coverage_set_own(struct coverage_set *set, struct error *err)
{
	struct coverage_set own;

	if (!set->shared)
		return 0;
	if (atomic_load(&set->shared->users) == 1) {
		free(steal_ptr(set->shared));
		return 0;
	}
	if (copy_content(&own, set, err) < 0) {
		coverage_set_free(&own);
		return -1;
	}
	release(set->shared);
	*set = own;
	return 0;
}

int coverage_set_copy(struct coverage_set *copy, const struct coverage_set *set, struct error *err)
{
	if (!set->shared)
		return copy_content(copy, set, err);
	atomic_fetch_add(&set->shared->users, 1);
	*copy = *set;
	return 0;
}

void coverage_set_free(struct coverage_set *set)
{
	if (set->shared)
		release(set->shared);
	else
		free_content(&set->dirs, set->files, set->n_files);
	*set = COVERAGE_SET_INIT;
}
