/*
 * Earlier profiles, each under its digest, in the order in which they were asked for last:
 * thousands of them where a service is polled after every test.  Finding one, keeping one and
 * dropping the oldest take no time that grows with them.  No lock of its own.
 */
#ifndef GOVERAGE_READER_PROFILE_HISTORY_H
#define GOVERAGE_READER_PROFILE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/reader/covprofile_packed.h"

struct remembered; /* private */

/* Zeroed at the start. */
struct profile_history {
	void *by_digest; /* a tree of tsearch(3) */
	struct remembered *youngest, *oldest;
	size_t bytes;
};

/* The profile under the digest, which becomes the youngest; NULL when it is not there.  It belongs
 * to the history. */
const struct packed_profile *profile_history_find(struct profile_history *history,
						  const char *digest);

/*
 * Keep a profile, which is taken over, under a digest of 32 characters at most, as the youngest.
 * What is there already, or has no room in memory, is freed instead.
 */
void profile_history_add(struct profile_history *history, const char *digest,
			 struct packed_profile *profile);

/* False when there is none. */
bool profile_history_drop_oldest(struct profile_history *history);

/* Bytes of memory that it takes, the packages aside. */
size_t profile_history_memory(const struct profile_history *history);

void profile_history_free(struct profile_history *history);

#endif
