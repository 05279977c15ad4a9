/* One connection of a web server, and lists of them. */
#ifndef GOVERAGE_FCGI_SERVER_CONNECTION_H
#define GOVERAGE_FCGI_SERVER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/exchange/app.h"
#include "fcgi/protocol/gateway_fcgi.h"
#include "fcgi/protocol/input.h"

enum connection_state {
	CONNECTION_OPEN,     /* it may bring another request */
	CONNECTION_RETIRED,  /* the peer has been told not to send one: see output_end() */
	CONNECTION_DRAINING, /* what comes is dropped, so that it does not break off the answer */
};

struct connection {
	int fd; /* owned */
	struct input input;
	enum connection_state state;
	int64_t
	    since_ns;	 /* when the request began, or the last one ended, on the monotonic clock */
	bool registered; /* with the acceptor's epoll */
	struct connection_list *list;	    /* the one list that it is in, or NULL */
	struct connection *next, *previous; /* in it */
};

/* Takes over the descriptor.  NULL, and it is closed, when memory runs out. */
must_check struct connection *connection_new(int fd, size_t max_body);

/* It may be in a list.  NULL is fine. */
void connection_free(struct connection *connection);

/* --- lists: who came first is first ---------------------------------------------------------- */

struct connection_list {
	struct connection *first, *last;
	size_t n;
};

void connection_list_add(struct connection_list *list, struct connection *connection);

/* Out of the list that it is in. */
void connection_list_remove(struct connection *connection);

/* Take out the first one; NULL when there is none. */
struct connection *connection_list_take(struct connection_list *list);

/* --- answering ------------------------------------------------------------------------------- */

/* What is done when an answer gets so far; see struct fcgi_service. */
struct connection_events {
	void (*answering)(void *context);
	bool (*ending)(void *context);
	void *context;
};

/* Answer the request, which is complete.  Afterwards: has the connection any further use? */
bool connection_serve(struct connection *connection, struct app *app,
		      const struct connection_events *events);

/*
 * Answer the request, of which not all may be there, with an error, without waiting for the peer:
 * with a line in the log, or where `counted` says that the caller counts, without.  `may_stay`: the
 * peer may use the connection again.  Returns as above.
 */
bool connection_refuse(struct connection *connection, const struct error *err, bool counted,
		       bool may_stay);

#endif
