/*
 * The body of a FastCGI request: the STDIN stream (FastCGI specification, 5.3), read from the
 * connection behind the head.  libfcgi can't be trusted with it: a management record among the
 * body's makes it allocate what the record announces, and ends the process where that can't be had.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_STDIN_STREAM_H
#define GOVERAGE_FCGI_PROTOCOL_STDIN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cgi/base/cleanup.h"
#include "fcgi/protocol/request_head.h"

struct stdin_stream {
	int fd; /* the connection; not owned */
	unsigned request_id;
	size_t content, skip; /* bytes of the record at hand: of the stream; to be dropped */
	unsigned char *room;  /* not owned */
	size_t size;	      /* of room; so much of it was received, and read: */
	size_t have, at;
	bool ended, broken;
	bool waited; /* the connection has a time-out by now: see peer_timeout.h */
};

/* The stream that begins in what has come behind the head, whose room it goes on using. */
void stdin_stream_init(struct stdin_stream *stream, int fd, const struct request_head *head);

/*
 * The next n bytes; fewer at the end of the stream, and then 0.  Records of other streams and
 * requests are dropped.  -1 when it broke off: the connection is closed, was silent for longer than
 * its time-out, holds something else than records, or the request was aborted.
 */
must_check ssize_t stdin_stream_read(struct stdin_stream *stream, void *out, size_t n);

/*
 * Before a connection is closed on which there may be something unread, which would break the
 * answer off: say that there will be no more, and drop what comes in, for a moment.
 */
void stdin_stream_drop(int connection);

#endif
