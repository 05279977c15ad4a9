/* A list of files by the names of their directories. */
#ifndef GOVERAGE_TESTS_LIB_LISTING_H
#define GOVERAGE_TESTS_LIB_LISTING_H

#include "cgi/directory/coverage_dirs.h"
#include "cgi/state/reader.h"

/* As reader_list(); the directories are opened for it. */
must_check static inline int listing_read(struct reader *reader, struct coverage_set *set,
					  const char *gocoverdir, const struct deadline *deadline,
					  struct error *err)
{
	cleanup_coverage_dirs struct coverage_dirs dirs = {0};

	*set = COVERAGE_SET_INIT;
	if (coverage_dirs_open(&dirs, gocoverdir, err) < 0)
		return -1;
	return reader_list(reader, set, &dirs, deadline, err);
}

#endif
