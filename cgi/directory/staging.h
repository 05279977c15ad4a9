/*
 * A private directory for one request: links to the coverage files that were chosen, and the files
 * that are made for it.  It lies in memory (/dev/shm) where that can be had, else in TMPDIR or
 * /tmp, else (in a root directory that is empty) in /, has mode 0700, and its descriptor holds a
 * lock for as long as its owner lives: whatever is found without a lock was left by a killed
 * process.
 */
#ifndef GOVERAGE_DIRECTORY_STAGING_H
#define GOVERAGE_DIRECTORY_STAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/error.h"

struct staging {
	char *path; /* owned; absolute, without a comma */
	int fd;	    /* the directory itself, locked; -1 = none */
};

/* Where they are made if that can be. */
#define STAGING_MEMORY_BASE "/dev/shm"

#define STAGING_INIT ((struct staging){NULL, -1})

/* Make one.  -1 with the directory that was tried and the reason. */
must_check int staging_open(struct staging *staging, struct error *err);

/* Make the subdirectory `name`; a descriptor for it, which the caller owns, or -1. */
must_check int staging_subdir(const struct staging *staging, const char *name, struct error *err);

/* Remove the subdirectory `name` and the files and links in it, if it is there. */
void staging_remove_subdir(const struct staging *staging, const char *name);

/* Remove everything in it and the directory itself. */
void staging_close(struct staging *staging);

/* At start: remove what killed processes of this user have left behind. */
void staging_sweep(void);

/*
 * The directory for temporary files on disk: TMPDIR where it is absolute and has no comma (covdata
 * takes a list with commas), else /tmp.  The environment's string, or a constant.
 */
const char *staging_disk_base(void);

#define cleanup_staging cleanup_with(staging_close)

#endif
