#include "fcgi/protocol/params_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	RECORD_HEADER =
	    8, /* version, type, request id (2), content length (2), padding length, reserved */
	RECORD_VERSION = 1,
	TYPE_BEGIN_REQUEST = 1,
	TYPE_PARAMS = 4,
	BEGIN_BODY = 8,
	AT_PADDING = 6, /* its length, in the header */
};

struct record {
	unsigned type, request_id;
	const unsigned char *content;
	size_t content_len;
	size_t total; /* header and padding included */
};

/* Where we are in the stream of pairs: lengths first, then what they announce. */
struct pair_walk {
	unsigned char lengths[8];
	size_t have;	  /* bytes of lengths so far */
	uint64_t to_skip; /* bytes of the name and the value that are still to come */
};

static enum params_state read_record(const unsigned char *bytes, size_t n, struct record *record)
{
	if (n >= 1 && bytes[0] != RECORD_VERSION)
		return PARAMS_MALFORMED;
	if (n < RECORD_HEADER)
		return PARAMS_INCOMPLETE;
	record->type = bytes[1];
	record->request_id = (unsigned)bytes[2] << 8 | bytes[3];
	record->content = bytes + RECORD_HEADER;
	record->content_len = (size_t)bytes[4] << 8 | bytes[5];
	record->total = RECORD_HEADER + record->content_len + bytes[6];
	return n < record->total ? PARAMS_INCOMPLETE : PARAMS_COMPLETE;
}

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
static void finish_lengths(struct pair_walk *walk)
{
	size_t name_size = length_size(walk->lengths[0]);

	if (walk->have <= name_size ||
	    walk->have < name_size + length_size(walk->lengths[name_size]))
		return;
	walk->to_skip =
	    (uint64_t)read_length(walk->lengths) + read_length(walk->lengths + name_size);
	walk->have = 0;
}

/* Walk over n bytes of the stream.  False for a pair that can't end within the limit. */
static bool walk_pairs(struct pair_walk *walk, const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		if (walk->to_skip > PARAMS_SCAN_MAX)
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
	return walk->to_skip <= PARAMS_SCAN_MAX;
}

enum params_state params_scan(const unsigned char *bytes, size_t n, size_t *len)
{
	struct pair_walk walk = {.have = 0};
	struct record begin, record;
	enum params_state state = read_record(bytes, n, &begin);
	size_t at;

	*len = 0;
	if (n >= 2 && bytes[0] == RECORD_VERSION && bytes[1] != TYPE_BEGIN_REQUEST)
		return PARAMS_MALFORMED;
	if (state != PARAMS_COMPLETE)
		return state;
	if (begin.content_len != BEGIN_BODY)
		return PARAMS_MALFORMED;
	for (at = begin.total;; at += record.total) {
		state = read_record(bytes + at, n - at, &record);
		if (state != PARAMS_COMPLETE)
			return state;
		if (record.type != TYPE_PARAMS || record.request_id != begin.request_id)
			return PARAMS_MALFORMED;
		*len = at + record.total;
		if (record.content_len == 0)
			return walk.have || walk.to_skip ? PARAMS_MALFORMED : PARAMS_COMPLETE;
		if (!walk_pairs(&walk, record.content, record.content_len))
			return PARAMS_MALFORMED;
	}
}

size_t params_strip_padding(unsigned char *bytes, size_t len)
{
	struct record record;
	size_t from, to = 0;

	for (from = 0; from < len; from += record.total) {
		size_t kept;

		if (read_record(bytes + from, len - from, &record) != PARAMS_COMPLETE)
			break;
		kept = RECORD_HEADER + record.content_len;
		memmove(bytes + to, bytes + from, kept);
		bytes[to + AT_PADDING] = 0;
		to += kept;
	}
	return to;
}
