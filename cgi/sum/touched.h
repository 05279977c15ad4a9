/* Which functions of a program have run, over all of its counter files. */
#ifndef GOVERAGE_SUM_TOUCHED_H
#define GOVERAGE_SUM_TOUCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/base/error.h"
#include "cgi/directory/source_file.h"
#include "cgi/format/covmeta.h"

struct touched {
	uint32_t n_packages;
	uint64_t *first; /* owned; n_packages + 1: the index of the first function of each */
	bool *ran;	 /* owned; one for each function */
	uint64_t n;	 /* functions that have run */
	bool incomplete; /* a file could not be read: more may have run */
	struct file_bytes bytes; /* private: memory for the next file */
};

#define TOUCHED_INIT ((struct touched){0})

/* Begin with no function of the program touched.  -1: ERROR_UNAVAILABLE. */
must_check int touched_begin(struct touched *touched, const struct covmeta *meta,
			     struct error *err);

/* Functions that the program has. */
uint64_t touched_functions(const struct touched *touched);

/*
 * Add a counter file: each function with an entry in it has run.  A file that is gone adds
 * nothing; one that is damaged or of a newer format adds nothing either, and sets `incomplete`.
 * -1: ERROR_UNAVAILABLE.
 */
must_check int touched_add(struct touched *touched, int dir_fd, const char *name,
			   struct error *err);

void touched_free(struct touched *touched);

#define cleanup_touched cleanup_with(touched_free)

#endif
