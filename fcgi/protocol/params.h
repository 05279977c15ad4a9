/*
 * A walk over the name-value pairs of a PARAMS stream (FastCGI specification 1.0, 3.4) while it
 * comes in, before libfcgi sees it.  libfcgi allocates what a pair announces, and some
 * announcements end the process (CVE-2025-23016 and what its first repair left): a peer's garbage
 * must end no more than its own connection.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_PARAMS_H
#define GOVERAGE_FCGI_PROTOCOL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAMS_MAX = 96 << 10 }; /* bytes of a stream */

/* Where we are in the stream: lengths first, then what they announce. */
struct params_walk {
	unsigned char lengths[8];
	size_t have;	  /* bytes of lengths so far */
	uint64_t to_skip; /* bytes of the name and the value that are still to come */
};

#define PARAMS_WALK_INIT ((struct params_walk){.have = 0})

/* Walk over the next n bytes.  False for a pair that can't end within PARAMS_MAX. */
bool params_walk(struct params_walk *walk, const unsigned char *bytes, size_t n);

/* Does a pair end where the stream does? */
bool params_walk_is_whole(const struct params_walk *walk);

#endif
