/* The threads of a pool: what they do by themselves, and how one is given a connection. */
#ifndef GOVERAGE_FCGI_SERVER_POOL_SEATS_H
#define GOVERAGE_FCGI_SERVER_POOL_SEATS_H

#include <pthread.h>
#include <stdbool.h>

#include "cgi/exchange/app.h"
#include "fcgi/server/arrivals.h"
#include "fcgi/server/connection.h"
#include "fcgi/server/event_count.h"
#include "fcgi/server/limits.h"
#include "fcgi/server/waiting_room.h"
#include "fcgi/server/watchdog.h"

struct pool;

enum seat_state { SEAT_EMPTY, SEAT_BUSY, SEAT_IDLE, SEAT_ENDED };

/* A thread, or the place for one.  The thread that leads stays, however long nothing comes. */
struct seat {
	struct pool *pool;
	struct watchdog watchdog;
	pthread_t thread;
	enum seat_state state;
	pthread_cond_t woken;	      /* the state is not SEAT_IDLE any more, or the process ends */
	struct connection connection; /* with SEAT_BUSY; its fd is -1 when there is none yet */
	bool leaving;		      /* with SEAT_BUSY; it counts for nothing that is held */
	struct seat *next;	      /* with SEAT_IDLE: the one that is idle for longer */
};

struct pool {
	struct app *app;
	const struct arrivals *arrivals;
	struct limits limits;
	int64_t patience_ns; /* nobody stays in the waiting room for longer */
	size_t n_seats;
	struct seat *seats;	     /* owned; n_seats */
	pthread_mutex_t lock;	     /* guards what follows, and the seats but for their watches */
	struct waiting_room room;    /* one larger than it may be, see pool_take() */
	struct seat *idle;	     /* the one that became idle last: the others may end */
	struct seat *leader;	     /* the idle one that waits at the listening socket, or NULL */
	struct seat *to_wake;	     /* one that has been given a connection: see seats_unlock() */
	size_t busy, leaving, alive; /* threads; those that are leaving are busy */
	int64_t came_ns;	     /* when the last connection came */
	bool spares;		     /* memory may have been freed since it was given back last */
	bool keeper_rests;	     /* it has to be woken when a connection comes */
	bool ending;
	int64_t end_ns;
	struct event_count refused, unstarted;
	int start_errnum; /* why a thread could not be started */
};

/* --- all with the lock of the pool ---------------------------------------------------------------
 */

/* Has it been in the waiting room for too long? */
bool seats_overdue(const struct pool *pool, const struct connection *connection);

/*
 * How many connections the threads hold.  What is being refused is not among them, nor what is all
 * but answered: who has seen the end of an answer finds that its place is free.
 */
size_t seats_held(const struct pool *pool);

/* Note that a connection has come. */
void seats_came(struct pool *pool, int64_t now_ns);

/*
 * Give the connection to a thread, an idle one or a new one: one that serves, or where it is to be
 * refused, one of a few that are there beyond those as well.  False when it was not taken, which is
 * counted where no thread could be started.  seats_unlock() must follow.
 */
bool seats_hand_over(struct pool *pool, const struct connection *connection);

/*
 * Let go of the lock, and wake who was given a connection under it: woken before, it would only
 * wait for the lock.
 */
void seats_unlock(struct pool *pool);

/* Have the thread, which is idle, look at what has changed. */
void seats_wake(struct seat *seat);

/* Collect the threads that have ended. */
void seats_join_ended(struct pool *pool);

#endif
