/* UTF-8 as RFC 3629 has it (no surrogates, no overlong forms, nothing above U+10FFFF); Go's decoder
 * agrees. */
#ifndef GOVERAGE_BASE_UTF8_H
#define GOVERAGE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode the character at s, of which n > 0 bytes are there, into *c (may be NULL).  Its length in
 * bytes, 1 to 4, or 0 when the first byte does not begin a valid character.
 */
size_t utf8_decode(const char *s, size_t n, uint32_t *c);

/* Write character c (valid, no surrogate) to out; its length, 1 to 4. */
size_t utf8_encode(uint32_t c, char out[4]);

bool utf8_valid(const char *s, size_t n);

/*
 * Copy n bytes to out, which has room for three times as many, with U+FFFD for each byte that is part of
 * no valid character: what Go sees there.  The length written.
 */
size_t utf8_replace_invalid(const char *s, size_t n, char *out);

#endif
