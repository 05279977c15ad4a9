#include "fcgi/server/pool.h"

#include <string.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "fcgi/server/pool_seats.h"
#include "fcgi/server/spare_memory.h"
#include "cgi/base/deadline.h"
#include "cgi/base/turnstile.h"

/* Connections that are there, but for those that are leaving. */
static size_t present(const struct pool *pool)
{
	return seats_held(pool) + pool->room.n;
}

bool pool_takes_more(struct pool *pool)
{
	bool more;

	pthread_mutex_lock(&pool->lock);
	more = present(pool) < pool->limits.connections ||
	       (present(pool) == pool->limits.connections && pool->busy < pool->n_seats);
	pthread_mutex_unlock(&pool->lock);
	return more;
}

/* The room has one place more than it may have, for when no thread can be started to refuse. */
void pool_take(struct pool *pool, int fd)
{
	struct connection connection = {fd, monotonic_ns(), false};
	bool taken;

	pthread_mutex_lock(&pool->lock);
	seats_came(pool, connection.arrived_ns);
	taken = !pool->room.n && seats_hand_over(pool, &connection);
	if (!taken && present(pool) < pool->limits.connections)
		taken = waiting_room_put(&pool->room, &connection);
	if (!taken) {
		connection.refuse = true;
		taken = seats_hand_over(pool, &connection) ||
			waiting_room_put(&pool->room, &connection);
	}
	seats_unlock(pool);
	if (!taken)
		close(fd);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* What a thread was lacking for, or what is overdue. */
static void empty_room(struct pool *pool)
{
	const struct connection *first;

	while ((first = waiting_room_first(&pool->room))) {
		struct connection connection = *first;

		connection.refuse = seats_overdue(pool, first);
		if (!seats_hand_over(pool, &connection))
			return;
		(void)waiting_room_take(&pool->room);
	}
}

static void look_at_connections(struct pool *pool)
{
	int64_t now_ns = monotonic_ns();
	size_t i;

	for (i = 0; i < pool->n_seats; i++) {
		if (pool->ending)
			watchdog_hurry(&pool->seats[i].watchdog, pool->end_ns);
		watchdog_look(&pool->seats[i].watchdog, now_ns);
	}
}

/* Has nobody come for a while, after somebody had? */
static bool has_been_idle(const struct pool *pool, int64_t now_ns)
{
	return pool->busy == 0 && pool->room.n == 0 && pool->alive == 1 &&
	       now_ns - pool->came_ns >= SPARE_MEMORY_S * INT64_C(1000000000);
}

/* That, or a rush is over: all threads but one have just ended. */
static bool is_time_to_give_back(struct pool *pool, size_t threads_before, int64_t now_ns)
{
	bool idle = pool->spares && has_been_idle(pool, now_ns);

	pool->spares &= !idle;
	return idle || (threads_before > 1 && pool->alive == 1);
}

void pool_look(struct pool *pool)
{
	unsigned long refused, unstarted;
	int64_t now_ns = monotonic_ns();
	size_t waiting, threads;
	bool give_back;

	pthread_mutex_lock(&pool->lock);
	threads = pool->alive;
	seats_join_ended(pool);
	give_back = is_time_to_give_back(pool, threads, now_ns);
	empty_room(pool);
	refused = event_count_due(&pool->refused, now_ns);
	unstarted = event_count_due(&pool->unstarted, now_ns);
	waiting = pool->room.n + turnstile_waiting(pool->app->turns);
	seats_unlock(pool);
	look_at_connections(pool);
	if (give_back)
		spare_memory_give_back();
	if (refused)
		log_line("too many requests at once: refused=%lu status=503 waiting=%zu", refused,
			 waiting);
	if (unstarted)
		log_line("starting a thread: %s: %lu times, going on with those that there are",
			 strerror(pool->start_errnum), unstarted);
}

bool pool_is_quiet(struct pool *pool)
{
	bool quiet;

	pthread_mutex_lock(&pool->lock);
	quiet = pool->busy == 0 && pool->room.n == 0 && pool->alive == 1 && !pool->spares &&
		pool->refused.untold == 0 && pool->unstarted.untold == 0;
	pool->keeper_rests = quiet;
	pthread_mutex_unlock(&pool->lock);
	return quiet;
}

bool pool_is_empty(struct pool *pool)
{
	bool empty;

	pthread_mutex_lock(&pool->lock);
	/* the leader may just be about to take the last one */
	empty = pool->busy == 0 && pool->room.n == 0 && !pool->leader;
	pthread_mutex_unlock(&pool->lock);
	return empty;
}

void pool_end(struct pool *pool, int64_t at_ns)
{
	struct seat *seat;

	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pool->end_ns = at_ns;
	for (seat = pool->idle; seat; seat = seat->next)
		seats_wake(seat);
	pthread_mutex_unlock(&pool->lock);
}

static int open_seats(struct pool *pool, struct error *err)
{
	size_t i;

	pool->seats = calloc(pool->n_seats, sizeof *pool->seats);
	if (!pool->seats)
		return error_no_memory(err);
	for (i = 0; i < pool->n_seats; i++) {
		pool->seats[i].pool = pool;
		watchdog_init(&pool->seats[i].watchdog);
		monotonic_cond_init(&pool->seats[i].woken);
	}
	return 0;
}

/* The first thread, without which there is nobody to serve. */
static int open_pool(struct pool *pool, struct error *err)
{
	const struct connection none = {.fd = -1};

	if (open_seats(pool, err) < 0 ||
	    waiting_room_open(&pool->room, pool->limits.connections + 1, err) < 0)
		return -1;
	if (seats_hand_over(pool, &none))
		return 0;
	return error_errno(err, ERROR_INTERNAL, pool->start_errnum, "starting a thread");
}

struct pool *pool_new(struct app *app, const struct arrivals *arrivals, const struct limits *limits,
		      struct error *err)
{
	struct pool *pool = calloc(1, sizeof *pool);
	int rc;

	if (!pool) {
		error_no_memory(err);
		return NULL;
	}
	spare_memory_keep();
	pool->app = app;
	pool->arrivals = arrivals;
	pool->limits = *limits;
	pool->patience_ns = app->settings.timeout_s * INT64_C(1000000000) / 2;
	pool->n_seats = limits->threads + LIMITS_REFUSERS;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_lock(&pool->lock);
	rc = open_pool(pool, err);
	seats_unlock(pool);
	if (rc == 0)
		return pool;
	pool_free(pool);
	return NULL;
}

static bool is_empty_seat(struct pool *pool, const struct seat *seat)
{
	bool empty;

	pthread_mutex_lock(&pool->lock);
	empty = seat->state == SEAT_EMPTY;
	pthread_mutex_unlock(&pool->lock);
	return empty;
}

void pool_free(struct pool *pool)
{
	size_t i;

	if (!pool)
		return;
	pool_end(pool, monotonic_ns());
	for (i = 0; pool->seats && i < pool->n_seats; i++) {
		if (!is_empty_seat(pool, &pool->seats[i]))
			pthread_join(pool->seats[i].thread, NULL);
		watchdog_destroy(&pool->seats[i].watchdog);
		pthread_cond_destroy(&pool->seats[i].woken);
	}
	waiting_room_close(&pool->room);
	pthread_mutex_destroy(&pool->lock);
	free(pool->seats);
	free(pool);
}
