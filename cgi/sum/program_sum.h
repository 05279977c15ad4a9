/*
 * The counters of one program added up by themselves, not with those of other programs that share
 * its packages: to be written as a counter file.
 */
#ifndef GOVERAGE_SUM_PROGRAM_SUM_H
#define GOVERAGE_SUM_PROGRAM_SUM_H

#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/directory/inputs.h"
#include "cgi/format/covcounters_writer.h"
#include "cgi/format/covmeta.h"
#include "cgi/format/package_store.h"
#include "cgi/sum/covprofile.h"

struct program_sum {
	const struct input_file *from; /* the meta-data file; NULL = there is no good one */
	struct package_store packages;
	struct covmeta meta;
	struct covprofile *profile; /* of this program alone */
	size_t *first;		    /* owned; the first counter of each package */
	size_t n_skipped;	    /* damaged files, and what was passed over for them */
};

#define PROGRAM_SUM_INIT ((struct program_sum){0})

/*
 * Decode the first good meta-data file of the group, which must outlive the sum.  Damaged ones are
 * passed over.  -1: ERROR_INTERNAL for a format version that is not known, ERROR_UNAVAILABLE.
 */
must_check int program_sum_begin(struct program_sum *sum, const struct input_group *group,
				 struct error *err);

/*
 * Add up n counter files of the group, from zero.  Damaged and vanished files are passed over.  -1:
 * as program_sum_begin(); ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int program_sum_count(struct program_sum *sum, const struct input_file *const *counters,
				 size_t n, const struct deadline *deadline, struct error *err);

/* Append the functions that have run to *entries, as a counter file has them; the sum is void
 * then. */
void program_sum_take(struct program_sum *sum, struct counter_entries *entries);

void program_sum_free(struct program_sum *sum);

#define cleanup_program_sum cleanup_with(program_sum_free)

#endif
