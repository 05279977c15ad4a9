/*
 * Earlier profiles, each under its digest: thousands of them where a service is polled after every
 * test.  Each is kept whole and packed, since most counters are 0 or small, and those of the same
 * packages share what tells where the counters of a package are.  Finding one, keeping one and
 * forgetting the oldest take no time that grows with their number.  No lock of its own.
 */
#ifndef GOVERAGE_SUM_PROFILE_HISTORY_H
#define GOVERAGE_SUM_PROFILE_HISTORY_H

#include <stdbool.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/base/lru.h"
#include "cgi/sum/covprofile.h"

struct profile_history {
	struct lru *lru; /* in which it has its entries; not owned; it outlives them */
	/* private */
	void *by_digest;	     /* a tree of tsearch(3) */
	struct covprofile *packages; /* of the profile that was kept last, without counters; this is
					a user of it */
};

/* Is there a profile under the digest?  Then it is the youngest from now on. */
bool profile_history_has(struct profile_history *history, const char *digest);

/*
 * The profile under the digest, with one user, the caller; it is the youngest from now on.  NULL
 * when it is not there.  -1: ERROR_UNAVAILABLE.
 */
must_check int profile_history_open(struct profile_history *history, const char *digest,
				    struct covprofile **profile, struct error *err);

/*
 * Keep the profile as the youngest under a digest of 32 characters at most, where none is kept
 * under it.  Without memory it is not kept.
 */
void profile_history_add(struct profile_history *history, const char *digest,
			 const struct covprofile *profile);

/* Let go of what is held beside the profiles, which the lru has forgotten before. */
void profile_history_close(struct profile_history *history);

#endif
