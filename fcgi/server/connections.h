/*
 * The connections on which no request is complete.  They are all the acceptor's, and keep no
 * thread: nothing here waits for a peer.
 */
#ifndef GOVERAGE_FCGI_SERVER_CONNECTIONS_H
#define GOVERAGE_FCGI_SERVER_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/exchange/app.h"
#include "fcgi/server/connection.h"
#include "fcgi/server/event_count.h"
#include "fcgi/server/workers.h"

enum connections_phase {
	CONNECTIONS_SERVED,
	CONNECTIONS_FINISHED, /* the process ends: none is kept for another request */
	CONNECTIONS_GIVEN_UP, /* and none is waited for */
};

struct connections {
	struct app *app;	 /* this and the next two are not owned */
	struct workers *workers; /* who get the requests that are complete */
	int epoll;   /* tells what becomes ready; its events have the connection's pointer */
	size_t most; /* connections at once, those of the workers included */
	enum connections_phase phase;
	struct connection_list reading; /* a request is coming in, the oldest one first */
	struct connection_list resting; /* there is none */
	size_t input_size;		/* bytes that those that are read hold */
	struct event_count refused, dropped;
};

/* Take over a connection that was just accepted, and what has come on it. */
void connections_start(struct connections *connections, struct connection *connection);

/* Something has come on this one.  It may be gone afterwards; no other one is. */
void connections_ready(struct connections *connections, struct connection *connection);

/* Take over a connection whose request has been answered, and which is of further use. */
void connections_put_to_rest(struct connections *connections, struct connection *connection);

/*
 * Hold no more than there may be, and no more of unfinished requests: who has been idle for
 * longest, or whose request has been coming in for longest, makes room.  Not while there are events
 * at hand.
 */
void connections_bound(struct connections *connections);

/*
 * May another one be accepted?  Not where all places are taken, and whoever would have to make room
 * has only just connected: it is about to send its request.
 */
bool connections_have_room(const struct connections *connections);

/* To be called every second or so, unless it is quiet: refuse and end what is overdue, log. */
void connections_look(struct connections *connections);

bool connections_are_quiet(const struct connections *connections);

/* How many there are. */
size_t connections_n(const struct connections *connections);

/* Close them all. */
void connections_free(struct connections *connections);

#endif
