/*
 * The files of one answer, grouped by program: the meta-data files with one tag and the counter
 * files with that tag, whatever directories they lie in.  A file's name decides, not the hash
 * inside.
 */
#ifndef GOVERAGE_DIRECTORY_INPUTS_H
#define GOVERAGE_DIRECTORY_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/directory/memory_files.h"

struct input_file {
	const struct coverage_file *file;
	const char *dir;	  /* its path, for messages */
	int dir_fd;		  /* -1 = of one in memory: */
	struct memory_file *live; /* a snapshot made for this request; NULL = none */
	size_t rank; /* in covdata's order: directory by directory, names in byte order */
};

/* The files with one tag, by rank. */
struct input_group {
	const struct input_file *meta; /* covdata takes the first */
	size_t n_meta;
	const struct input_file *counters;
	size_t n_counters;
};

struct inputs {
	struct input_file *files; /* owned; meta-data before counters, each sorted by tag, rank */
	size_t n_files;
	struct input_group *groups; /* owned; those that have meta-data, see inputs_gather_live() */
	size_t n_groups;
	struct input_group *orphans; /* owned; those that have counters alone */
	size_t n_orphans;
	const int *dir_fds; /* one for each directory of the set */
	int *opened;	    /* owned; these, where they are not borrowed */
	size_t n_dirs;
};

#define INPUTS_INIT ((struct inputs){0})

/*
 * Open the directories of the set.  -1: ERROR_UNAVAILABLE, ERROR_INTERNAL for one that can't be
 * opened any more.
 */
must_check int inputs_open(struct inputs *inputs, const struct coverage_set *set,
			   struct error *err);

/* They are open already, as long as the inputs live. */
void inputs_borrow(struct inputs *inputs, const int *dir_fds, size_t n);

/*
 * Gather the files of the set and the snapshots (NULL = none), which must both outlive the inputs;
 * open the directories where that has not been done.  -1 as inputs_open().
 */
must_check int inputs_gather(struct inputs *inputs, const struct coverage_set *set,
			     const struct memory_files *live, struct error *err);

/* Gather snapshots alone, which must all be counter files: their groups have no meta-data.  -1:
 * ERROR_UNAVAILABLE. */
must_check int inputs_gather_live(struct inputs *inputs, const struct memory_files *live,
				  struct error *err);

/* Was the meta-data of an orphan written between the listing of the one and of the other? */
bool inputs_meta_is_there_now(const struct inputs *inputs, const struct input_group *orphan);

void inputs_free(struct inputs *inputs);

#define cleanup_inputs cleanup_with(inputs_free)

#endif
