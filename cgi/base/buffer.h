/*
 * A growing byte buffer.  Appending never reports an error by itself: when memory runs out, or when
 * the buffer would pass its limit, it turns `failed`, keeps what it had, and ignores further
 * appends; the user asks once, at the end.  The content is always NUL-terminated behind its last
 * byte.
 */
#ifndef GOVERAGE_BASE_BUFFER_H
#define GOVERAGE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/cleanup.h"

struct buffer {
	char *data; /* NULL while empty; owned */
	size_t len; /* bytes of content */
	size_t cap; /* private */
	size_t max; /* most bytes of content; 0 = no limit */
	bool failed;
};

#define BUFFER_INIT ((struct buffer){0})

void buffer_append(struct buffer *b, const void *bytes, size_t n);
void buffer_puts(struct buffer *b, const char *s);
void buffer_putc(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Room for n more bytes behind the content, to be filled by the caller, who then adds what was used
 * to b->len (at most n).  NULL, and failed, when there is no room.
 */
char *buffer_reserve(struct buffer *b, size_t n);

/* The content as a C string; "" while empty. */
const char *buffer_str(const struct buffer *b);

/* Forget the content, keep the memory and the limit. */
void buffer_reset(struct buffer *b);

/* Free the memory; the buffer is as new. */
void buffer_free(struct buffer *b);

#define cleanup_buffer cleanup_with(buffer_free)

#endif
