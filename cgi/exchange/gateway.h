/*
 * The seam between the application and whatever brings requests to it: meta-variables in, body in,
 * bytes out, a place for log lines.  Classic CGI (gateway_cgi.c), FastCGI (fcgi/protocol/gateway_fcgi.c) and
 * the tests each fill in one of these; nothing else in the application knows which.  An
 * implementation embeds the struct and gets itself back from the pointer.
 */
#ifndef GOVERAGE_EXCHANGE_GATEWAY_H
#define GOVERAGE_EXCHANGE_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/log.h"

struct gateway {
	/* A meta-variable (RFC 3875, 4.1); NULL when it is absent.  Lives as long as the
	 * request. */
	const char *(*variable)(struct gateway *gateway, const char *name);

	/*
	 * The next at most n bytes of what the peer sends behind the request's head.  The count; 0
	 * at the end of the stream; -1 with ERROR_BAD_REQUEST when the stream broke off,
	 * ERROR_TIMEOUT when it stalled, ERROR_CANCELLED.
	 */
	ssize_t (*read)(struct gateway *gateway, void *buf, size_t n,
			const struct deadline *deadline, struct error *err);

	/* Send n bytes.  0, or -1 when the peer is gone. */
	int (*write)(struct gateway *gateway, const void *bytes, size_t n);

	/*
	 * Does the stream end where the body ends?  FastCGI: yes, so it is read to its end whatever
	 * CONTENT_LENGTH says.  CGI: the input may stay open behind the body.
	 */
	bool stream_ends_with_body;

	/* When the request arrived, by the monotonic clock in nanoseconds: its time runs from then. 0 =
	 * it has just arrived. */
	int64_t arrived_ns;

	/* Has the peer hung up?  NULL where that can't be told. */
	bool (*gone)(struct gateway *gateway);

	/* An answer with this many bytes of body is about to be written; NULL = nobody wants to
	 * know. */
	void (*answering)(struct gateway *gateway, size_t n);

	log_sink *log; /* where a log line can go when fd 2 leads nowhere; NULL = nowhere */
};

#endif
