/* Text on its way: collected in one buffer, handed on in large pieces. */
#ifndef GOVERAGE_TEXT_TEXT_OUT_H
#define GOVERAGE_TEXT_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cgi/base/cleanup.h"

/* Takes a piece of text.  0, or -1: then no more comes. */
typedef int text_sink(void *to, const char *bytes, size_t n);

struct text_out {
	text_sink *sink; /* NULL: the buffer has room for everything */
	void *to;	 /* for the sink */
	char *buf;	 /* not owned */
	size_t used, cap;
	bool failed; /* the sink has */
};

enum {
	TEXT_OUT_ROOM = 64 << 10, /* of a buffer in front of a sink, beside the longest piece */
	DECIMAL_MAX = 10,	  /* digits of a 32-bit number */
};

/* Hand on what is in the buffer. */
void text_out_flush(struct text_out *out);

/* Hand on the rest.  0, or -1 when the sink has failed. */
must_check int text_out_finish(struct text_out *out);

/* Any number of bytes. */
void text_out_bytes(struct text_out *out, const char *bytes, size_t n);

/* Room for n more bytes, fewer than the buffer has; text_out_used() tells where what was put there
 * ends. */
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

/* How many digits has it? */
static inline unsigned text_decimal_length(uint32_t value)
{
	static const uint32_t powers[] = {0,	  10,	   100,	     1000,	10000,
					  100000, 1000000, 10000000, 100000000, 1000000000};
	unsigned guess; /* of the logarithm: right, or one too many */

	if (value < 10)
		return 1;
	guess = (unsigned)(32 - __builtin_clz(value)) * 1233 >> 12;
	return guess + (value >= powers[guess]);
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
