/*
 * The body of a FastCGI request: the STDIN stream (FastCGI specification, 5.3), read from the
 * connection behind the head.  libfcgi can't be trusted with it: a management record among the
 * body's makes it allocate what the record announces, and ends the process where that can't be had.
 */
#ifndef GOVERAGE_STDIN_STREAM_H
#define GOVERAGE_STDIN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cgi/base/cleanup.h"

struct stdin_stream {
	int fd; /* the connection; not owned */
	unsigned request_id;
	size_t content, skip; /* bytes of the record at hand: of the stream; to be dropped */
	size_t at, have;      /* of room: what was received, and how far it has been read */
	unsigned char room[8192];
	bool ended, broken;
	bool waited; /* the connection has a time-out by now: see silence.h */
};

void stdin_stream_init(struct stdin_stream *stream, int fd, unsigned request_id);

/*
 * The next n bytes; fewer at the end of the stream, and then 0.  Records of other streams and
 * requests are dropped.  -1 when it broke off: the connection is closed, was silent for longer than
 * its time-out, holds something else than records, or the request was aborted.
 */
must_check ssize_t stdin_stream_read(struct stdin_stream *stream, void *out, size_t n);

#endif
