/* Arrays that grow. */
#ifndef GOVERAGE_BASE_ARRAY_H
#define GOVERAGE_BASE_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

#include "cgi/base/cleanup.h"

/*
 * Room for n more elements of `size` bytes in the array, which has `used` of *room (NULL and 0 at
 * first): the array, which may have moved, with room for twice as many at least where it had to
 * grow.  NULL without memory: the array is as it was.
 */
must_check static inline void *array_grow(void *array, size_t *room, size_t used, size_t n,
					  size_t size)
{
	size_t want = *room ? *room : 16;
	void *bigger;

	if (*room && n <= *room - used)
		return array;
	while (want - used < n)
		want *= 2;
	bigger = reallocarray(array, want, size);
	if (bigger)
		*room = want;
	return bigger;
}

#endif
