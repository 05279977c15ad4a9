/* Finding coverage files in a set by what their names say. */
#ifndef GOVERAGE_DIRECTORY_COVERAGE_FIND_H
#define GOVERAGE_DIRECTORY_COVERAGE_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/directory/coverage_set.h"

/* A walk over the counter files of one program, and, with a pid, of that alone. */
struct coverage_find {
	const struct coverage_set *set;
	char prefix[128]; /* "covcounters.HASH." or "covcounters.HASH.PID." */
	unsigned dir;
	size_t at;
};

struct coverage_find coverage_find_of(const struct coverage_set *set, const char *hash,
				      uint64_t pid);
struct coverage_find coverage_find_of_program(const struct coverage_set *set, const char *hash);

/* The next one's index in the set; false at the end. */
bool coverage_find_next(struct coverage_find *names, size_t *index);

/* Is there a meta-data file with this tag? */
bool coverage_find_has_meta(const struct coverage_set *set, const char *hash);

/* Does a directory before that of the file have one of the same name? */
bool coverage_find_came_before(const struct coverage_set *set, const struct coverage_file *file);

#endif
