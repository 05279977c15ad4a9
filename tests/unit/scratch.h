/* A scratch directory for a group of tests: made at its start, removed with all that is in it. */
#ifndef GOVERAGE_TESTS_UNIT_SCRATCH_H
#define GOVERAGE_TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/io.h"
#include "unit.h"

static char scratch[64]; /* its absolute path */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int make_scratch(void **state)
{
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/goverage-test-XXXXXX");
	return mkdtemp(scratch) ? 0 : -1;
}

static inline int remove_scratch(void **state)
{
	(void)state;
	remove_tree(scratch);
	return 0;
}

/* SCRATCH/name, in a buffer that the eighth call after this one uses again. */
static inline const char *in_scratch(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
	return path;
}

static inline void write_file(const char *path, const void *bytes, size_t n)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, bytes, n), 0);
}

#endif
