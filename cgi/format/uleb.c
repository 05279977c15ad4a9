#include "cgi/format/uleb.h"

#include <stdbool.h>

/* Write eight values, each in one byte, if they are that small. */
static inline bool put_eight(unsigned char *out, const uint32_t *values)
{
	uint32_t all = 0;
	int i;

	for (i = 0; i < 8; i++)
		all |= values[i];
	if (all > 0x7f)
		return false;
	for (i = 0; i < 8; i++)
		out[i] = (unsigned char)values[i];
	return true;
}

unsigned char *uleb_put_counters(unsigned char *at, const uint32_t *counters, size_t n)
{
	size_t i = 0;

	while (i < n)
		if (n - i >= 8 && put_eight(at, counters + i)) {
			at += 8;
			i += 8;
		} else {
			at += uleb_put(at, counters[i++]);
		}
	return at;
}
