/* Which coverage files a directory holds, by their names. */
#ifndef GOVERAGE_DIRECTORY_COVERAGE_LIST_H
#define GOVERAGE_DIRECTORY_COVERAGE_LIST_H

#include "cgi/directory/coverage_set.h"

enum {
	/* of one answer; ten times what a year of a busy test stage leaves behind */
	COVERAGE_MAX_FILES = 1000000,
	/* files between two looks at the cancellation, which take a system call */
	COVERAGE_DEADLINE_STEP = 256,
};

/*
 * Append the coverage files of the directory open at dir_fd, which is the one at index `dir` of
 * set->dirs: names in byte order, everything that stands in the name filled in.  Directories and
 * other names are passed over.  *room is the room of set->files, 0 at first.
 */
must_check int coverage_list(struct coverage_set *set, size_t *room, int dir_fd, unsigned dir,
			     const struct deadline *deadline, struct error *err);

/*
 * Something has happened to the one name in directory `dir`, open at dir_fd, of a set that was
 * listed, in the generation that the set has by now: put it where it belongs, or take it out.  -1
 * when that can't be told: the directories must be listed.
 */
must_check int coverage_list_again(struct coverage_set *set, int dir_fd, unsigned dir,
				   const char *name);

/* 0 while the deadline has not passed and nobody has cancelled; never waits. */
must_check int coverage_check_deadline(const struct deadline *deadline, struct error *err);

/*
 * The same for file number `n` of many: on a slow file system each of them may take a while, so
 * that the time is looked at for each.
 */
must_check int coverage_check_step(const struct deadline *deadline, size_t n, struct error *err);

#endif
