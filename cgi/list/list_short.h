/* The short list, in goc's shape: {"name": ["address", ...], ...}. */
#ifndef GOVERAGE_LIST_LIST_SHORT_H
#define GOVERAGE_LIST_LIST_SHORT_H

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/live/live.h"

/*
 * Append the object and a line feed: the processes that were read, names in byte order, pids in
 * rising order.  Names that are equal once what is not UTF-8 in them has become U+FFFD are one
 * name; a process with two programs has one address.  `host` is the one of the addresses.  -1:
 * ERROR_UNAVAILABLE.
 */
must_check int list_short_write(struct buffer *out, const char *host,
				const struct live_report *live, struct error *err);

#endif
