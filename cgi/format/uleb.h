/* Writing unsigned LEB128, as Go's coverage files have it; byte_reader.h reads it. */
#ifndef GOVERAGE_FORMAT_ULEB_H
#define GOVERAGE_FORMAT_ULEB_H

#include <stddef.h>
#include <stdint.h>

enum {
	ULEB_MAX = 10,	      /* bytes of the longest 64-bit value */
	ULEB_COUNTER_MAX = 5, /* bytes of the longest counter, which has 32 bits */
};

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

#endif
