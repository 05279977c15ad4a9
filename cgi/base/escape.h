/* Text from anywhere, made fit for an answer: as a JSON string, or as one plain line. */
#ifndef GOVERAGE_BASE_ESCAPE_H
#define GOVERAGE_BASE_ESCAPE_H

#include <stddef.h>

#include "cgi/base/buffer.h"

/* Append n bytes as a JSON string, quotes included; what is not valid UTF-8 becomes U+FFFD. */
void escape_json(struct buffer *out, const char *text, size_t n);

/* Append n bytes as plain text without control characters (they become blanks) and with valid
 * UTF-8. */
void escape_plain(struct buffer *out, const char *text, size_t n);

#endif
