#include "cgi/directory/coverage_find.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the name is in the set, or would go. */
static size_t place_of(const struct coverage_set *set, unsigned dir, const char *name)
{
	size_t from = 0, end = set->n_files;

	while (from < end) {
		size_t middle = from + (end - from) / 2;
		const struct coverage_file *file = &set->files[middle];

		if (file->dir < dir || (file->dir == dir && strcmp(file->name, name) < 0))
			from = middle + 1;
		else
			end = middle;
	}
	return from;
}

static bool is_at(const struct coverage_set *set, size_t i, unsigned dir, const char *prefix)
{
	return i < set->n_files && set->files[i].dir == dir &&
	       strncmp(set->files[i].name, prefix, strlen(prefix)) == 0;
}

struct coverage_find coverage_find_of(const struct coverage_set *set, const char *hash,
				      uint64_t pid)
{
	struct coverage_find names = {.set = set};

	snprintf(names.prefix, sizeof names.prefix, "covcounters.%s.%" PRIu64 ".", hash, pid);
	names.at = place_of(set, 0, names.prefix);
	return names;
}

struct coverage_find coverage_find_of_program(const struct coverage_set *set, const char *hash)
{
	struct coverage_find names = {.set = set};

	snprintf(names.prefix, sizeof names.prefix, "covcounters.%s.", hash);
	names.at = place_of(set, 0, names.prefix);
	return names;
}

bool coverage_find_next(struct coverage_find *names, size_t *index)
{
	while (!is_at(names->set, names->at, names->dir, names->prefix)) {
		if (++names->dir >= names->set->dirs.n)
			return false;
		names->at = place_of(names->set, names->dir, names->prefix);
	}
	*index = names->at++;
	return true;
}

static bool is_in(const struct coverage_set *set, unsigned dir, const char *name)
{
	size_t i = place_of(set, dir, name);

	return i < set->n_files && set->files[i].dir == dir &&
	       strcmp(set->files[i].name, name) == 0;
}

bool coverage_find_has_meta(const struct coverage_set *set, const char *hash)
{
	char name[128];
	unsigned dir;

	snprintf(name, sizeof name, "covmeta.%s", hash);
	for (dir = 0; dir < set->dirs.n; dir++)
		if (is_in(set, dir, name))
			return true;
	return false;
}

bool coverage_find_came_before(const struct coverage_set *set, const struct coverage_file *file)
{
	unsigned dir;

	for (dir = 0; dir < file->dir; dir++)
		if (is_in(set, dir, file->name))
			return true;
	return false;
}
