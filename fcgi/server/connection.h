/* One connection in the hands of one thread. */
#ifndef GOVERAGE_FCGI_SERVER_CONNECTION_H
#define GOVERAGE_FCGI_SERVER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/exchange/app.h"
#include "fcgi/server/watchdog.h"

struct connection {
	int fd;		    /* owned */
	int64_t arrived_ns; /* when it was accepted, on the monotonic clock */
	bool refuse;	    /* there is no time for it: 503 */
};

/* Told when the answer is all but sent, or there will be none, before the client can see that. */
struct connection_end {
	void (*tell)(void *context);
	void *context;
};

/* Read the request, answer it, close the connection. */
void connection_serve(const struct connection *connection, struct app *app,
		      struct watchdog *watchdog, const struct connection_end *end);

#endif
