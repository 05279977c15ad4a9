/*
 * Adding one counter file to the counters of a profile: all of it or, where it is damaged, nothing.
 */
#ifndef GOVERAGE_SUM_MERGE_H
#define GOVERAGE_SUM_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/covcounters.h"
#include "cgi/format/covmeta.h"

/* Where the counters of one program go. */
struct merge_target {
	const struct covmeta *meta;
	const size_t *first; /* for each package of meta the index of its first counter */
};

/* What becomes of the values: they are added up, or it is marked where they are not 0. */
struct merge_sink {
	uint32_t *counters; /* NULL where marks are wanted */
	uint8_t *marks;
};

/* Working memory, kept from file to file; one for each thread. */
struct merge_work {
	struct merge_step *steps; /* owned; private */
	size_t n_steps, cap;
};

#define MERGE_WORK_INIT ((struct merge_work){0})

/* What was seen in the file. */
struct merge_notes {
	bool newer;	  /* its format version is not known here */
	uint64_t ignored; /* entries for functions that the meta-data file does not have */
};

/*
 * Add the file in bytes[len] to the sink, behind which COUNTERS_SLACK more can be written.
 *
 * As in covdata an entry for an unknown function is ignored, and so is one without counters.  An
 * entry with too few of them, which makes covdata crash, means that the file is damaged; but in
 * package 0 it is ignored, because Go 1.23 and 1.24 can write there what belongs to another
 * package.  One with too many is damaged everywhere: beside a file with the right number covdata
 * gives up on the whole directory.
 *
 * -1: ERROR_INTERNAL with what is wrong with the file, ERROR_UNAVAILABLE when out of memory; the
 * sink is as before then.
 */
must_check int merge_counter_file(const struct merge_target *target, const uint8_t *bytes,
				  size_t len, const struct merge_sink *sink,
				  struct merge_work *work, struct merge_notes *notes,
				  struct error *err);

void merge_work_free(struct merge_work *work);

#define cleanup_merge_work cleanup_with(merge_work_free)

#endif
