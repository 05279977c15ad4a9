/*
 * A profile that is kept to be compared with later: its counters take a byte each, as a rule,
 * instead of four.
 */
#ifndef GOVERAGE_READER_COVPROFILE_PACKED_H
#define GOVERAGE_READER_COVPROFILE_PACKED_H

#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/reader/covprofile.h"

struct packed_profile;

/* The caller owns it; of the packages it is a user.  NULL: ERROR_UNAVAILABLE. */
must_check struct packed_profile *packed_profile_new(const struct covprofile *profile,
						     struct error *err);

/* The profile as it was, with one user.  NULL: ERROR_UNAVAILABLE. */
must_check struct covprofile *packed_profile_open(const struct packed_profile *packed,
						  struct error *err);

/* Bytes of memory that it takes, the packages aside. */
size_t packed_profile_memory(const struct packed_profile *packed);

void packed_profile_free(struct packed_profile *packed);

static inline void cleanup_packed_profile_fn(struct packed_profile **packed)
{
	packed_profile_free(*packed);
}

#define cleanup_packed_profile cleanup_with(cleanup_packed_profile_fn)

#endif
