/* Unsigned LEB128, as Go's coverage files have it: seven bits a byte, the lowest first. */
#ifndef GOVERAGE_FORMAT_ULEB_H
#define GOVERAGE_FORMAT_ULEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"

enum {
	ULEB_MAX = 10,	      /* bytes of the longest 64-bit value */
	ULEB_COUNTER_MAX = 5, /* bytes of the longest counter, which has 32 bits */
};

/* The rest of some bytes that are read from the front. */
struct cursor {
	const unsigned char *at, *end;
};

/* Take one value.  false, and the cursor anywhere, when it is cut off or longer than 64 bits need.
 */
static inline must_check bool uleb_take(struct cursor *cursor, uint64_t *value)
{
	unsigned shift = 0;

	for (*value = 0; cursor->at < cursor->end && shift < 7 * ULEB_MAX; shift += 7) {
		unsigned char byte = *cursor->at++;

		if (shift < 64)
			*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Write a value, which takes at most ULEB_MAX bytes; what it took. */
static inline size_t uleb_put(unsigned char *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		out[n++] = (unsigned char)(value | 0x80);
	out[n++] = (unsigned char)value;
	return n;
}

/* Write n counters, one value after the other, for which there is room; returns where they end. */
unsigned char *uleb_put_counters(unsigned char *at, const uint32_t *counters, size_t n);

static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

#endif
