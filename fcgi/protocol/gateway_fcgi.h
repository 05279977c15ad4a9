/*
 * The answer to one FastCGI request.  The only file that knows libfcgi: the library makes variables
 * of the head.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_GATEWAY_FCGI_H
#define GOVERAGE_FCGI_PROTOCOL_GATEWAY_FCGI_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/base/error.h"
#include "cgi/exchange/gateway.h"
#include "fcgi/protocol/input.h"

/* Once, before any thread starts. */
must_check int gateway_fcgi_start(struct error *err);

/* Who answers, and what is told him; `context` is handed to each. */
struct fcgi_service {
	int64_t arrived_ns; /* when the request began, on the monotonic clock */
	int64_t allowed_ns; /* for an answer to go out, and a second more for each 16 KiB */
	/* Answer; `err` says why the parameters can't be had, and is NULL as a rule. */
	void (*answer)(struct gateway *gateway, const struct error *err, void *context);
	/* The answer is there, and goes out from now on.  Not told where there is none. */
	void (*answering)(void *context);
	/* All but the end is sent: the client can't see it yet.  May the peer use the connection
	 * again? */
	bool (*ending)(void *context);
	void *context;
};

/*
 * Have the request in `input` answered, which has begun but may have failed, and end it.  True when
 * the connection can carry another one.
 */
bool gateway_fcgi_answer(struct input *input, const struct fcgi_service *service);

#endif
