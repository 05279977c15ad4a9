/*
 * The threads that answer requests.  A thread is started when it is needed and ends when it has had
 * nothing to do for a while; requests that find none wait, in the order of their coming.  Threads
 * do not wait for requests to come in: that is the acceptor's; but some have to wait until a peer
 * takes its answer, so there may be more of them than GOVERAGE_WORKERS, which bounds the work.
 */
#ifndef GOVERAGE_FCGI_SERVER_WORKERS_H
#define GOVERAGE_FCGI_SERVER_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/base/error.h"
#include "cgi/exchange/app.h"
#include "fcgi/server/connection.h"
#include "fcgi/server/limits.h"

struct workers; /* private */

/*
 * The app, which has the semaphore of the work, is not owned, and neither is wake_fd, an event
 * descriptor that is written to when there is something for the acceptor.  NULL when not even one
 * thread can be started.
 */
must_check struct workers *workers_new(struct app *app, const struct limits *limits, int wake_fd,
				       struct error *err);

/* Take over a connection whose request is complete.  False when there are as many as there may be:
 * the request is to be refused. */
must_check bool workers_give(struct workers *workers, struct connection *connection);

/* A connection that is of further use, its request having been answered; NULL when there is
 * none. */
struct connection *workers_take_done(struct workers *workers);

/* A connection whose request has waited for a thread for too long, and is to be refused, or
 * NULL. */
struct connection *workers_take_overdue(struct workers *workers);

/* Are there as many requests in work as there may be? */
bool workers_are_busy(struct workers *workers);

/* Requests that are there, waiting or not. */
size_t workers_held(struct workers *workers);

/* Requests that wait for a thread or for their turn, at this moment. */
size_t workers_waiting(struct workers *workers);

/* To be called every second or so, unless it is quiet: start threads that were lacking, log. */
void workers_look(struct workers *workers);

/* Is there nothing to look after: no request, but one thread, and no spare memory? */
bool workers_are_quiet(struct workers *workers);

/* The process ends: nothing waits beyond at_ns (monotonic clock), and no connection is kept. */
void workers_end(struct workers *workers, int64_t at_ns);

/* Is no request there any more? */
bool workers_are_empty(struct workers *workers);

/* They must be empty.  NULL is fine. */
void workers_free(struct workers *workers);

#endif
