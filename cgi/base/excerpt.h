/* Foreign text in a message: bounded, valid UTF-8, a C string. */
#ifndef GOVERAGE_BASE_EXCERPT_H
#define GOVERAGE_BASE_EXCERPT_H

#include <stddef.h>

/*
 * Write the n bytes at text to out, which has room for size >= 4 bytes, the closing NUL included. A
 * NUL, and each byte that belongs to no valid character, becomes U+FFFD; what does not fit is cut
 * off at a character, and an ellipsis stands in its place.  Control characters stay: the printer of
 * errors escapes them.  Returns out.
 */
const char *excerpt(char *out, size_t size, const char *text, size_t n);

#endif
