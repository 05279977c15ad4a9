/* Text on its way to a file: collected in one buffer, written in large pieces. */
#ifndef GOVERAGE_READER_TEXT_OUT_H
#define GOVERAGE_READER_TEXT_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"

struct text_out {
	int fd;	   /* not owned */
	char *buf; /* owned */
	size_t used, cap;
	uint64_t written; /* bytes that have left the buffer */
	int errnum; /* of the first write that failed; 0 = none.  Nothing more is written then */
};

enum {
	TEXT_OUT_ROOM = 256 << 10,
	DECIMAL_MAX = 10, /* digits of a 32-bit number */
};

/* The longest piece that will be asked for at once sets the size of the buffer.  -1:
 * ERROR_UNAVAILABLE. */
must_check int text_out_open(struct text_out *out, int fd, size_t longest, struct error *err);

/* Write what is in the buffer. */
void text_out_flush(struct text_out *out);

/* Flush, and tell whether everything was written: 0, or -1 with ERROR_UNAVAILABLE or
 * ERROR_INTERNAL. */
must_check int text_out_finish(struct text_out *out, struct error *err);

void text_out_close(struct text_out *out);

#define cleanup_text_out cleanup_with(text_out_close)

/* Any number of bytes. */
void text_out_bytes(struct text_out *out, const char *bytes, size_t n);

/* Room for n more bytes, at most `longest`; text_out_used() tells where what was put there ends. */
static inline char *text_out_room(struct text_out *out, size_t n)
{
	if (out->cap - out->used < n)
		text_out_flush(out);
	return out->buf + out->used;
}

static inline void text_out_used(struct text_out *out, const char *end)
{
	out->used = (size_t)(end - out->buf);
}

/* Write value in decimal digits; returns where they end. */
char *text_put_long_decimal(char *at, uint32_t value);

static inline char *text_put_decimal(char *at, uint32_t value)
{
	if (value < 10) {
		*at = (char)('0' + value);
		return at + 1;
	}
	return text_put_long_decimal(at, value);
}

static inline char *text_put_bytes(char *at, const char *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

#endif
