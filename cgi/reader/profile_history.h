/*
 * Earlier profiles, each under its digest, in the order in which they were asked for last:
 * thousands of them where a service is polled after every test.  Those of the same packages share a
 * base, of which each keeps its changes.  Finding one, keeping one and dropping the oldest take no
 * time that grows with their number.  No lock of its own.
 */
#ifndef GOVERAGE_READER_PROFILE_HISTORY_H
#define GOVERAGE_READER_PROFILE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/reader/profile_changes.h"

struct remembered;   /* private */
struct profile_base; /* private */

/* Zeroed at the start. */
struct profile_history {
	void *by_digest; /* a tree of tsearch(3) */
	struct remembered *youngest, *oldest;
	struct profile_base *bases; /* the one that was used last first */
	size_t bytes;
};

/* Is there a profile under the digest?  Then it is the youngest from now on. */
bool profile_history_has(struct profile_history *history, const char *digest);

/*
 * The profile under the digest, of which the caller becomes the user, and which is the youngest
 * from now on; NULL when it is not there.  -1: ERROR_UNAVAILABLE.
 */
must_check int profile_history_open(struct profile_history *history, const char *digest,
				    struct covprofile **profile, struct error *err);

/*
 * A base for the profile, of which the caller becomes a user.  NULL: it had better become one
 * itself, since there is none, or what others have beyond it has come to as much as it takes
 * itself.
 */
struct covprofile *profile_history_base(struct profile_history *history,
					const struct covprofile *profile);

/*
 * Keep what a profile has beyond a base, which is used and is not changed any more, as the youngest
 * under a digest of 32 characters at most.  The changes are taken over: freed where the digest is
 * there already, or no memory is left.
 */
void profile_history_add(struct profile_history *history, const char *digest,
			 struct covprofile *base, struct profile_changes *changes);

/* False when there is none. */
bool profile_history_drop_oldest(struct profile_history *history);

/* Bytes of memory that it takes, the packages aside. */
size_t profile_history_memory(const struct profile_history *history);

void profile_history_free(struct profile_history *history);

#endif
