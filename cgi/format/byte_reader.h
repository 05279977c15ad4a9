/*
 * A cursor over bytes that somebody else wrote.  Reading past the end gives 0 and turns `failed`,
 * which stays: a decoder reads what it expects and asks once, before it uses what it has read.
 */
#ifndef GOVERAGE_FORMAT_BYTE_READER_H
#define GOVERAGE_FORMAT_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/format/coverage_format.h"

struct byte_reader {
	const uint8_t *at;  /* the next byte; not owned */
	const uint8_t *end; /* behind the last one */
	bool failed;
};

static inline struct byte_reader byte_reader_on(const void *bytes, size_t n)
{
	return (struct byte_reader){bytes, (const uint8_t *)bytes + n, false};
}

static inline size_t byte_reader_left(const struct byte_reader *r)
{
	return (size_t)(r->end - r->at);
}

/* The next n bytes, or NULL (and failed) where there are fewer. */
static inline const uint8_t *byte_reader_take(struct byte_reader *r, uint64_t n)
{
	const uint8_t *taken = r->at;

	if (n > byte_reader_left(r)) {
		r->failed = true;
		r->at = r->end;
		return NULL;
	}
	r->at += n;
	return taken;
}

static inline uint32_t byte_reader_u32(struct byte_reader *r)
{
	const uint8_t *p = byte_reader_take(r, 4);

	return p ? le32(p) : 0;
}

static inline uint64_t byte_reader_u64(struct byte_reader *r)
{
	const uint8_t *p = byte_reader_take(r, 8);

	return p ? le64(p) : 0;
}

/* The same for a value of more than two bytes. */
uint64_t byte_reader_long_uleb(struct byte_reader *r);

/*
 * An unsigned LEB128 value: 7 bits a byte, low group first.  This is the one rule for all files and
 * blobs, and that of Go's reader (internal/coverage/slicereader): an overlong number is taken
 * however long it is, and what does not fit in 64 bits is lost.
 */
static inline uint64_t byte_reader_uleb(struct byte_reader *r)
{
	const uint8_t *p = r->at;

	if (p < r->end && p[0] < 0x80) {
		r->at = p + 1;
		return p[0];
	}
	if (r->end - p >= 2 && p[1] < 0x80) {
		r->at = p + 2;
		return (uint64_t)p[1] << 7 | (p[0] & 0x7f);
	}
	return byte_reader_long_uleb(r);
}

#endif
