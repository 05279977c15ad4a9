#include "fcgi/protocol/params.h"

/* How many bytes a length takes, by its first byte. */
static size_t length_size(unsigned char first)
{
	return first & 0x80 ? 4 : 1;
}

static uint32_t read_length(const unsigned char *at)
{
	if (!(*at & 0x80))
		return *at;
	return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

/* Are both lengths there?  Then count what they announce, and be ready for the next pair. */
static void finish_lengths(struct params_walk *walk)
{
	size_t name_size = length_size(walk->lengths[0]);

	if (walk->have <= name_size ||
	    walk->have < name_size + length_size(walk->lengths[name_size]))
		return;
	walk->to_skip =
	    (uint64_t)read_length(walk->lengths) + read_length(walk->lengths + name_size);
	walk->have = 0;
}

bool params_walk(struct params_walk *walk, const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		if (walk->to_skip > PARAMS_MAX)
			return false;
		if (walk->to_skip > 0) {
			size_t skip = walk->to_skip < n ? (size_t)walk->to_skip : n;

			walk->to_skip -= skip;
			bytes += skip;
			n -= skip;
			continue;
		}
		walk->lengths[walk->have++] = *bytes++;
		n--;
		finish_lengths(walk);
	}
	return walk->to_skip <= PARAMS_MAX;
}

bool params_walk_is_whole(const struct params_walk *walk)
{
	return walk->have == 0 && walk->to_skip == 0;
}
