/* Percent-encoding (RFC 3986, 2.1), as it stands in request targets, query strings and forms. */
#ifndef GOVERAGE_BASE_PERCENT_H
#define GOVERAGE_BASE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/buffer.h"
#include "cgi/base/cleanup.h"

/*
 * Append what n bytes stand for; in a form a '+' stands for a blank.  -1 for a '%' that is not followed
 * by two hex digits, and when memory runs out (then out->failed is set).
 */
must_check int percent_decode(struct buffer *out, const char *text, size_t n, bool plus_is_blank);

#endif
