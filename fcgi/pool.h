/*
 * The connections that the process holds: some in the hands of a thread each, which is started when
 * it is needed and ends when it has had nothing to do for a while; the others in a waiting room.
 * What is too much, or has waited too long, is handed to a thread as well, to be refused.
 *
 * All functions but the threads' own are for one thread: the one that accepts connections.
 */
#ifndef GOVERAGE_POOL_H
#define GOVERAGE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/app.h"
#include "cgi/base/error.h"
#include "fcgi/limits.h"

struct pool; /* private */

/* The app, which is not owned, has the turnstile.  NULL when not even one thread can be started. */
must_check struct pool *pool_new(struct app *app, const struct limits *limits, struct error *err);

/* Can one more connection be taken, if only to refuse it? */
bool pool_takes_more(struct pool *pool);

/* Take over a connection that was just accepted.  Only when pool_takes_more(). */
void pool_take(struct pool *pool, int fd);

/* Is nothing there, no thread that is not needed, and no memory either? */
bool pool_is_quiet(struct pool *pool);

/* To be called every second or so, unless it is quiet: end and refuse what is overdue, log. */
void pool_look(struct pool *pool);

/*
 * The process ends at at_ns (monotonic clock), apart from what is in work then: what still comes
 * in, and what still waits, is given up.  pool_look() must go on until pool_is_empty().
 */
void pool_end(struct pool *pool, int64_t at_ns);

bool pool_is_empty(struct pool *pool);

/* It must be empty.  NULL is fine. */
void pool_free(struct pool *pool);

#endif
