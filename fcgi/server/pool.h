/*
 * The connections that the process holds: some in the hands of a thread each, which is started when
 * it is needed and ends when it has had nothing to do for a while; the others in a waiting room.
 * What is too much, or has waited too long, is handed to a thread as well, to be refused.
 *
 * An idle thread leads: it accepts what it serves.  These functions are for one thread beside them,
 * the keeper, which accepts what comes while nobody leads.
 */
#ifndef GOVERAGE_FCGI_SERVER_POOL_H
#define GOVERAGE_FCGI_SERVER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/exchange/app.h"
#include "cgi/base/error.h"
#include "fcgi/server/arrivals.h"
#include "fcgi/server/limits.h"

struct pool; /* private */

/*
 * The app, which has the turnstile, and the arrivals are not owned.  NULL when not even one thread
 * can be started.
 */
must_check struct pool *pool_new(struct app *app, const struct arrivals *arrivals,
				 const struct limits *limits, struct error *err);

/* Can one more connection be taken, if only to refuse it? */
bool pool_takes_more(struct pool *pool);

/* Take over a connection that was just accepted.  Only when pool_takes_more(). */
void pool_take(struct pool *pool, int fd);

/* Is nothing there, no thread that is not needed, and no memory either?  Then the keeper may wait
 * without an end: it is woken when that changes. */
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
