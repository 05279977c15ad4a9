/*
 * What the running processes came to the last time, beside the same files: as long as the same
 * programs come with counter files of the same content, the profile is the same, too.
 */
#ifndef GOVERAGE_STATE_LIVE_SUM_H
#define GOVERAGE_STATE_LIVE_SUM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/sum/covprofile.h"
#include "cgi/sum/load.h"
#include "cgi/sum/program.h"

struct live_part {
	struct program *program; /* this is a user of it */
	size_t n_files;		 /* so many of the files belong to it */
};

/* Immutable; it counts its users. */
struct live_sum {
	atomic_uint users;
	struct covprofile *profile; /* this is a user of it */
	struct live_part *parts;    /* owned */
	size_t n_parts;
	struct file_bytes *files; /* owned; part by part */
	size_t n_files;
	uint64_t ignored; /* entries of the files that fit no function */
};

/*
 * The sum of these parts and of the bytes that the jobs were read from (which move from there),
 * with one user.  NULL when out of memory: it is only not kept then.
 */
struct live_sum *live_sum_new(struct covprofile *profile, const struct live_part *parts,
			      size_t n_parts, struct load_job *jobs, size_t n_jobs);

/* Is it the sum of these parts, and of what the jobs were read from? */
bool live_sum_repeats(const struct live_sum *sum, const struct live_part *parts, size_t n_parts,
		      const struct load_job *jobs, size_t n_jobs);

/* Bytes of memory. */
size_t live_sum_memory(const struct live_sum *sum);

/* NULL is fine for both. */
struct live_sum *live_sum_use(struct live_sum *sum);
void live_sum_release(struct live_sum *sum);

static inline void cleanup_live_sum_fn(struct live_sum **sum)
{
	live_sum_release(*sum);
}

#define cleanup_live_sum cleanup_with(cleanup_live_sum_fn)

#endif
