/*
 * What the reader keeps of one list of directories: the sum of their files, and which files are in
 * it. It is right as long as all of these are still there and unchanged; more files can be added to
 * it.
 */
#ifndef GOVERAGE_STATE_KEPT_H
#define GOVERAGE_STATE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/state/live_sum.h"
#include "cgi/sum/covprofile.h"
#include "cgi/sum/load.h"
#include "cgi/sum/program.h"

struct kept_program {
	struct program *program; /* this is a user of it */
	size_t *first;		 /* owned; the first counter of each package in the profile */
};

struct kept_file {
	char *name; /* owned */
	unsigned dir;
	struct file_identity identity;
	uint64_t looked;	   /* the generation in which it was identified last; 0 = unknown */
	enum load_outcome outcome; /* LOAD_ADDED or LOAD_DAMAGED */
	char *reason;		   /* owned; of LOAD_DAMAGED */
	struct merge_notes notes;
};

struct kept {
	struct covprofile *profile;    /* this is a user of it */
	struct kept_program *programs; /* owned; in the order in which they were added */
	size_t n_programs;
	struct kept_file *files; /* owned; in the order of the inputs */
	size_t n_files;
	size_t names_size;     /* bytes of their names, each with its NUL */
	struct live_sum *live; /* this is a user of it: what the running processes made of the
				  profile; NULL = not known */
	uint64_t settled; /* the generation whose files these are, all of them good, when nobody can
			     change one unseen; 0 = there is none */
	uint64_t ignored; /* of its files: entries that fit no function */
};

#define KEPT_INIT ((struct kept){0})

/* A sum of nothing.  -1: ERROR_UNAVAILABLE. */
must_check int kept_begin(struct kept *kept, struct error *err);

/* The program if it is in the sum, else NULL. */
const struct kept_program *kept_find(const struct kept *kept, const struct program *program);

/* Add a program, with zero counters.  -1 as covprofile_add_program(). */
must_check int kept_add_program(struct kept *kept, struct program *program, struct error *err);

/* Does the file that was kept have this name? */
bool kept_is_named(const struct kept_file *file, const struct coverage_file *input);

/* Is the file of that name still the one that was kept? */
bool kept_is_unchanged(const struct kept_file *file, const struct file_identity *identity);

/* Bytes of memory, the programs and packages aside. */
size_t kept_memory(const struct kept *kept);

/* These are the files from now on; the array becomes owned, and those before are freed. */
void kept_take_files(struct kept *kept, struct kept_file *files, size_t n);

void kept_free(struct kept *kept);

#define cleanup_kept cleanup_with(kept_free)

#endif
