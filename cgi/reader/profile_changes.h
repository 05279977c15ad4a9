/*
 * A profile that is kept to be compared with later, as what it has beyond another one of the same
 * packages, its base: from one test to the next few counters move.
 */
#ifndef GOVERAGE_READER_PROFILE_CHANGES_H
#define GOVERAGE_READER_PROFILE_CHANGES_H

#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/reader/covprofile.h"

struct profile_changes;

/* The caller owns it.  The base must have the same counters, see covprofile_same_counters().
 * NULL: ERROR_UNAVAILABLE. */
must_check struct profile_changes *profile_changes_new(const struct covprofile *profile,
						       const struct covprofile *base,
						       struct error *err);

/* The profile as it was, from the base that it was taken from, with one user.
 * NULL: ERROR_UNAVAILABLE. */
must_check struct covprofile *profile_changes_apply(const struct profile_changes *changes,
						    const struct covprofile *base,
						    struct error *err);

/* Bytes of memory that it takes. */
size_t profile_changes_memory(const struct profile_changes *changes);

void profile_changes_free(struct profile_changes *changes);

static inline void cleanup_profile_changes_fn(struct profile_changes **changes)
{
	profile_changes_free(*changes);
}

#define cleanup_profile_changes cleanup_with(cleanup_profile_changes_fn)

#endif
