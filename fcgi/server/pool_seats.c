#include "config.h"

#include "fcgi/server/pool_seats.h"

#include <errno.h>

#include "cgi/base/deadline.h"

/* compiling the deepest pattern needs 310 KiB of stack; musl gives a thread 128 KiB */
#ifdef WITH_SANITIZERS
enum { STACK = 16 << 20 };
#else
enum { STACK = 1 << 20 };
#endif

/* An idle thread ends after this. */
enum { IDLE_S = 5 };

/* --- a thread ----------------------------------------------------------------------------------
 */

bool seats_overdue(const struct pool *pool, const struct connection *connection)
{
	int64_t now_ns = monotonic_ns();

	return now_ns - connection->arrived_ns >= pool->patience_ns ||
	       (pool->ending && now_ns >= pool->end_ns);
}

size_t seats_held(const struct pool *pool)
{
	return pool->busy - pool->leaving;
}

static void leave(struct seat *seat)
{
	seat->pool->leaving += !seat->leaving;
	seat->leaving = true;
}

static void has_left(struct seat *seat)
{
	seat->pool->leaving -= seat->leaving;
	seat->leaving = false;
}

/* Is called without the lock. */
static void output_ends(void *context)
{
	struct seat *seat = context;

	pthread_mutex_lock(&seat->pool->lock);
	leave(seat);
	pthread_mutex_unlock(&seat->pool->lock);
}

/* The next connection from the waiting room.  Threads beyond those that serve are there to refuse.
 */
static bool take_waiting(struct seat *seat)
{
	struct pool *pool = seat->pool;
	const struct connection *first = waiting_room_first(&pool->room);
	bool refuse = first && seats_overdue(pool, first);

	if (!first || (!refuse && seats_held(pool) > pool->limits.threads))
		return false;
	seat->connection = waiting_room_take(&pool->room);
	seat->connection.refuse = refuse;
	if (refuse)
		leave(seat);
	pool->refused.untold += refuse;
	return true;
}

static void become_idle(struct seat *seat)
{
	struct pool *pool = seat->pool;

	pool->busy--;
	seat->state = SEAT_IDLE;
	seat->next = pool->idle;
	pool->idle = seat;
}

static void leave_idle(struct seat *seat)
{
	struct seat **at = &seat->pool->idle;

	while (*at != seat)
		at = &(*at)->next;
	*at = seat->next;
}

/* --- waiting for a connection ------------------------------------------------------------------
 */

void seats_came(struct pool *pool, int64_t now_ns)
{
	pool->came_ns = now_ns;
	pool->spares = true;
}

static void wake_keeper(struct pool *pool)
{
	pool->keeper_rests = false;
	arrivals_wake_keeper(pool->arrivals);
}

/* Accept what this thread may serve.  Where it can't, false: it is for the keeper then. */
static bool accept_own(struct seat *seat)
{
	struct pool *pool = seat->pool;
	int fd;

	if (seat->state != SEAT_IDLE || pool->room.n || seats_held(pool) >= pool->limits.threads)
		return false;
	fd = arrivals_accept(pool->arrivals);
	if (fd < 0)
		return errno == EAGAIN;
	leave_idle(seat);
	seat->state = SEAT_BUSY;
	seat->connection = (struct connection){fd, monotonic_ns(), false};
	pool->busy++;
	seats_came(pool, seat->connection.arrived_ns);
	return true;
}

/*
 * Is there something for the keeper: to look after this request, or another connection?  Some
 * kernels wake the leader for several before it runs.
 */
static bool leaves_something(const struct seat *seat)
{
	const struct pool *pool = seat->pool;

	return seat->state == SEAT_BUSY && (pool->keeper_rests || arrivals_more(pool->arrivals));
}

/* Wait at the listening socket. */
static void lead(struct seat *seat)
{
	struct pool *pool = seat->pool;

	pool->leader = seat;
	while (seat->state == SEAT_IDLE && !pool->ending) {
		bool come;

		pthread_mutex_unlock(&pool->lock);
		come = arrivals_leader_wait(pool->arrivals);
		pthread_mutex_lock(&pool->lock);
		if (come && (!accept_own(seat) || leaves_something(seat)))
			wake_keeper(pool);
	}
	pool->leader = NULL;
}

/* Wait until a connection is handed over, for a while. */
static void rest(struct seat *seat)
{
	int64_t end_ns = monotonic_ns() + IDLE_S * INT64_C(1000000000);
	struct timespec end = monotonic_time(end_ns);
	struct pool *pool = seat->pool;
	int rc = 0;

	while (seat->state == SEAT_IDLE && !pool->ending && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&seat->woken, &pool->lock, &end);
}

/* Wait, with the lock, for another connection.  False when it is time to end. */
static bool wait_idle(struct seat *seat)
{
	become_idle(seat);
	if (seat->pool->leader)
		rest(seat);
	else
		lead(seat);
	if (seat->state == SEAT_BUSY)
		return true;
	leave_idle(seat);
	seat->state = SEAT_ENDED;
	return false;
}

static bool next_connection(struct seat *seat)
{
	struct pool *pool = seat->pool;
	bool more;

	pthread_mutex_lock(&pool->lock);
	has_left(seat);
	more = take_waiting(seat) || wait_idle(seat);
	pthread_mutex_unlock(&pool->lock);
	return more;
}

static void *sit(void *argument)
{
	struct seat *seat = argument;
	const struct connection_end end = {output_ends, seat};

	do {
		if (seat->connection.fd >= 0)
			connection_serve(&seat->connection, seat->pool->app, &seat->watchdog, &end);
	} while (next_connection(seat));
	return NULL;
}

/* --- handing over ------------------------------------------------------------------------------
 */

void seats_join_ended(struct pool *pool)
{
	size_t i;

	for (i = 0; i < pool->n_seats; i++) {
		if (pool->seats[i].state != SEAT_ENDED)
			continue;
		pthread_join(pool->seats[i].thread, NULL);
		pool->seats[i].state = SEAT_EMPTY;
		pool->alive--;
	}
}

static struct seat *empty_seat(struct pool *pool)
{
	size_t i = 0;

	seats_join_ended(pool);
	while (pool->seats[i].state != SEAT_EMPTY)
		i++;
	return &pool->seats[i];
}

/* 0 or an errno. */
static int start_thread(struct seat *seat)
{
	pthread_attr_t attributes;
	int rc;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	rc = pthread_create(&seat->thread, &attributes, sit, seat);
	pthread_attr_destroy(&attributes);
	return rc;
}

static void wake_seat(struct seat *seat, bool leads)
{
	if (leads)
		arrivals_wake_leader(seat->pool->arrivals);
	else
		pthread_cond_signal(&seat->woken);
}

void seats_wake(struct seat *seat)
{
	wake_seat(seat, seat == seat->pool->leader);
}

static struct seat *take_idle(struct pool *pool, const struct connection *connection)
{
	struct seat *seat = pool->idle;

	if (!seat)
		return NULL;
	pool->idle = seat->next;
	seat->connection = *connection;
	if (pool->to_wake)
		seats_wake(pool->to_wake);
	pool->to_wake = seat;
	return seat;
}

/* One that was not there yet; NULL when no thread can be started. */
static struct seat *take_new(struct pool *pool, const struct connection *connection)
{
	struct seat *seat = empty_seat(pool);

	seat->connection = *connection;
	pool->start_errnum = start_thread(seat);
	if (pool->start_errnum) {
		pool->unstarted.untold++;
		return NULL;
	}
	pool->alive++;
	return seat;
}

void seats_unlock(struct pool *pool)
{
	struct seat *seat = pool->to_wake;
	bool leads = seat == pool->leader;

	pool->to_wake = NULL;
	pthread_mutex_unlock(&pool->lock);
	if (seat)
		wake_seat(seat, leads);
}

bool seats_hand_over(struct pool *pool, const struct connection *connection)
{
	struct seat *seat;

	if (pool->busy == pool->n_seats ||
	    (!connection->refuse && seats_held(pool) >= pool->limits.threads))
		return false;
	seat = take_idle(pool, connection);
	if (!seat)
		seat = take_new(pool, connection);
	if (!seat)
		return false;
	seat->state = SEAT_BUSY;
	pool->busy++;
	if (connection->refuse)
		leave(seat);
	pool->refused.untold += connection->refuse;
	return true;
}
