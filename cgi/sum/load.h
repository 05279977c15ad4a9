/*
 * Adding many counter files to a profile, with several threads where that pays.  A file that
 * is damaged costs that file.
 */
#ifndef GOVERAGE_SUM_LOAD_H
#define GOVERAGE_SUM_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/directory/inputs.h"
#include "cgi/directory/source_file.h"
#include "cgi/sum/covprofile.h"
#include "cgi/sum/merge.h"

enum load_outcome {
	LOAD_ADDED,
	LOAD_DAMAGED,
	LOAD_UNREAD, /* the system did not let us read it this time */
	LOAD_GONE,   /* it is no longer there */
};

struct load_job {
	const struct input_file *input;
	const struct merge_target *target;
	struct file_bytes bytes; /* owned; the file, where it was read ahead */
	/* what became of it */
	enum load_outcome outcome;
	char *
	    reason; /* owned; LOAD_DAMAGED, LOAD_UNREAD: what is wrong, to follow the file's name */
	struct merge_notes notes;
};

/*
 * Work through the jobs, and add up their counters in those of the profile, of which the caller is
 * the only user.  -1: ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_UNAVAILABLE; the counters are void
 * then.
 */
must_check int load_files(struct load_job *jobs, size_t n_jobs, struct covprofile *profile,
			  const struct deadline *deadline, struct error *err);

/*
 * Read the files of the jobs ahead, as far as `most` bytes of memory go.  *all: they all have
 * been; what could not be read is left to load_files(), which tells why.  -1: ERROR_TIMEOUT,
 * ERROR_CANCELLED.
 */
must_check int load_read_ahead(struct load_job *jobs, size_t n_jobs, size_t most, bool *all,
			       const struct deadline *deadline, struct error *err);

void load_jobs_free(struct load_job *jobs, size_t n_jobs);

#endif
