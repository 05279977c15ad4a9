/*
 * One FastCGI connection with one request on it.  The only file that knows libfcgi; it uses the
 * library's stream layer on a connection that we have accepted ourselves.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_GATEWAY_FCGI_H
#define GOVERAGE_FCGI_PROTOCOL_GATEWAY_FCGI_H

#include "cgi/base/error.h"
#include "cgi/exchange/gateway.h"

/* Once, before any thread starts. */
must_check int gateway_fcgi_start(struct error *err);

/* What the user of a connection does at its turning points; `context` is handed to each. */
struct fcgi_events {
	int64_t arrived_ns; /* when the connection was accepted, on the monotonic clock */
	void (*answer)(struct gateway *gateway, void *context); /* the parameters are in */
	void (*input_complete)(void *context);			/* the body is in, too */
	void (*output_begins)(size_t n, void *context);		/* with n bytes of body */
	void (*output_ends)(void *context); /* in any case, before the client can see it */
	void *context;
};

/*
 * Read a request's parameters from the connection, let answer() answer it, and finish the request,
 * after which there is nothing to do but to close the connection.  0 when answer() was called, or
 * when it could not be and the request was answered with the reason; -1 with the reason when what
 * came was no whole FastCGI request, or did not come in time.
 */
must_check int gateway_fcgi_serve(int connection, const struct fcgi_events *events,
				  const struct deadline *deadline, struct error *err);

#endif
