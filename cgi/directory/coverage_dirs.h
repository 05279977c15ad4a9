/* The directories that GOCOVERDIR names. */
#ifndef GOVERAGE_DIRECTORY_COVERAGE_DIRS_H
#define GOVERAGE_DIRECTORY_COVERAGE_DIRS_H

#include "cgi/base/error.h"
#include "cgi/base/string_list.h"

enum { COVERAGE_MAX_DIRS = 256 };

struct coverage_dirs {
	struct string_list paths;   /* absolute, no links in them; each directory once */
	int fds[COVERAGE_MAX_DIRS]; /* open for reading; paths.n of them */
};

/*
 * The length of the first element of such a list: the longest beginning that ends at a comma or at
 * the end and is a directory, since Go itself, which knows no list, takes commas for part of a name;
 * where there is none, all before the first comma.
 */
size_t coverage_dirs_element(const char *list);

/*
 * Open the directories of a list as covdata reads it, but for names with commas in them: split by
 * coverage_dirs_element(), nothing trimmed.  One that is named twice is taken once, and logged:
 * covdata would count its files twice.
 *
 * -1: ERROR_UNAVAILABLE for a directory that does not exist, ERROR_INTERNAL for an empty element,
 * for one that is no directory or can't be read, and for too many.  To be closed on every path.
 */
must_check int coverage_dirs_open(struct coverage_dirs *dirs, const char *gocoverdir,
				  struct error *err);

/* Open directories whose paths a coverage_dirs_open() gave.  -1 as that. */
must_check int coverage_dirs_reopen(struct coverage_dirs *dirs, const struct string_list *paths,
				    struct error *err);

void coverage_dirs_close(struct coverage_dirs *dirs);

#define cleanup_coverage_dirs cleanup_with(coverage_dirs_close)

#endif
