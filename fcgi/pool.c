#include "fcgi/pool.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "fcgi/connection.h"
#include "fcgi/event_count.h"
#include "fcgi/waiting_room.h"

/* compiling the deepest pattern needs 310 KiB of stack; musl gives a thread 128 KiB */
#ifdef WITH_SANITIZERS
enum { STACK = 16 << 20 };
#else
enum { STACK = 1 << 20 };
#endif

/* An idle thread ends after this. */
enum { IDLE_S = 5 };

enum seat_state { SEAT_EMPTY, SEAT_BUSY, SEAT_IDLE, SEAT_ENDED };

/* A thread, or the place for one.  The thread of the first seat stays until the process ends. */
struct seat {
	struct pool *pool;
	struct watch watch;
	pthread_t thread;
	enum seat_state state;
	pthread_cond_t woken;	      /* the state is not SEAT_IDLE any more, or the process ends */
	struct connection connection; /* with SEAT_BUSY; its fd is -1 when there is none yet */
	struct seat *next;	      /* with SEAT_IDLE: the one that is idle for longer */
};

struct pool {
	struct app *app;
	struct limits limits;
	int64_t patience_ns; /* nobody stays in the waiting room for longer */
	size_t n_seats;
	struct seat *seats;	  /* owned; n_seats */
	pthread_mutex_t lock;	  /* guards what follows, and the seats but for their watches */
	struct waiting_room room; /* one larger than it may be, see pool_take() */
	struct seat *idle;	  /* the one that became idle last: the others may end */
	size_t busy, alive;
	bool ending;
	int64_t end_ns;
	struct event_count refused, unstarted;
	int start_errnum; /* why a thread could not be started */
};

/* --- a thread ----------------------------------------------------------------------------------
 */

static bool is_overdue(const struct pool *pool, const struct connection *connection)
{
	int64_t now_ns = monotonic_ns();

	return now_ns - connection->arrived_ns >= pool->patience_ns ||
	       (pool->ending && now_ns >= pool->end_ns);
}

/* The next connection from the waiting room.  Threads beyond those that serve are there to refuse.
 */
static bool take_waiting(struct pool *pool, struct connection *connection)
{
	const struct connection *first = waiting_room_first(&pool->room);
	bool refuse = first && is_overdue(pool, first);

	if (!first || (!refuse && pool->busy > pool->limits.threads))
		return false;
	*connection = waiting_room_take(&pool->room);
	connection->refuse = refuse;
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

/* Wait, with the lock, for another connection.  False when it is time to end. */
static bool wait_idle(struct seat *seat)
{
	struct pool *pool = seat->pool;
	int64_t end_ns = monotonic_ns() + IDLE_S * INT64_C(1000000000);
	struct timespec end = monotonic_time(end_ns);

	become_idle(seat);
	while (seat->state == SEAT_IDLE && !pool->ending) {
		if (seat == pool->seats)
			pthread_cond_wait(&seat->woken, &pool->lock);
		else if (pthread_cond_timedwait(&seat->woken, &pool->lock, &end) == ETIMEDOUT)
			break;
	}
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
	more = take_waiting(pool, &seat->connection) || wait_idle(seat);
	pthread_mutex_unlock(&pool->lock);
	return more;
}

static void *sit(void *argument)
{
	struct seat *seat = argument;

	do {
		if (seat->connection.fd >= 0)
			connection_serve(&seat->connection, seat->pool->app, &seat->watch);
	} while (next_connection(seat));
	return NULL;
}

/* --- handing over ------------------------------------------------------------------------------
 */

/* Collect the threads that have ended. */
static void join_ended(struct pool *pool)
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

	join_ended(pool);
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

static struct seat *take_idle(struct pool *pool, const struct connection *connection)
{
	struct seat *seat = pool->idle;

	if (!seat)
		return NULL;
	pool->idle = seat->next;
	seat->connection = *connection;
	pthread_cond_signal(&seat->woken);
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

/* With the lock: give the connection to a thread, unless `most` are busy.  False when it was not
 * taken. */
static bool hand_over(struct pool *pool, const struct connection *connection, size_t most)
{
	struct seat *seat;

	if (pool->busy >= most)
		return false;
	seat = take_idle(pool, connection);
	if (!seat)
		seat = take_new(pool, connection);
	if (!seat)
		return false;
	seat->state = SEAT_BUSY;
	pool->busy++;
	pool->refused.untold += connection->refuse;
	return true;
}

static size_t room_limit(const struct pool *pool)
{
	return pool->limits.connections - pool->limits.threads;
}

bool pool_takes_more(struct pool *pool)
{
	bool more;

	pthread_mutex_lock(&pool->lock);
	more = pool->room.n < room_limit(pool) ||
	       (pool->room.n == room_limit(pool) && pool->busy < pool->n_seats);
	pthread_mutex_unlock(&pool->lock);
	return more;
}

/* The room has one place more than it may have, for when no thread can be started to refuse. */
void pool_take(struct pool *pool, int fd)
{
	struct connection connection = {fd, monotonic_ns(), false};
	bool taken;

	pthread_mutex_lock(&pool->lock);
	taken = !pool->room.n && hand_over(pool, &connection, pool->limits.threads);
	if (!taken && pool->room.n < room_limit(pool))
		taken = waiting_room_put(&pool->room, &connection);
	if (!taken) {
		connection.refuse = true;
		taken = hand_over(pool, &connection, pool->n_seats) ||
			waiting_room_put(&pool->room, &connection);
	}
	pthread_mutex_unlock(&pool->lock);
	if (!taken)
		close(fd);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* Of the GNU C library: otherwise the threads of a rush spread what they leave behind over 8 arenas
 * for each processor. */
static void limit_arenas(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 2);
#endif
}

static void give_back_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* What a thread was lacking for, or what is overdue. */
static void empty_room(struct pool *pool)
{
	const struct connection *first;

	while ((first = waiting_room_first(&pool->room))) {
		struct connection connection = *first;

		connection.refuse = is_overdue(pool, first);
		if (!hand_over(pool, &connection,
			       connection.refuse ? pool->n_seats : pool->limits.threads))
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
			watch_hurry(&pool->seats[i].watch, pool->end_ns);
		watch_look(&pool->seats[i].watch, now_ns);
	}
}

void pool_look(struct pool *pool)
{
	unsigned long refused, unstarted;
	int64_t now_ns = monotonic_ns();
	size_t waiting, were;
	bool calm;

	pthread_mutex_lock(&pool->lock);
	were = pool->alive;
	join_ended(pool);
	calm = were > 1 && pool->alive == 1;
	empty_room(pool);
	refused = event_count_due(&pool->refused, now_ns);
	unstarted = event_count_due(&pool->unstarted, now_ns);
	waiting = pool->room.n + turnstile_waiting(pool->app->turns);
	pthread_mutex_unlock(&pool->lock);
	look_at_connections(pool);
	if (calm)
		give_back_memory();
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
	quiet = pool->busy == 0 && pool->room.n == 0 && pool->alive == 1 &&
		pool->refused.untold == 0 && pool->unstarted.untold == 0;
	pthread_mutex_unlock(&pool->lock);
	return quiet;
}

bool pool_is_empty(struct pool *pool)
{
	bool empty;

	pthread_mutex_lock(&pool->lock);
	empty = pool->busy == 0 && pool->room.n == 0;
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
		pthread_cond_signal(&seat->woken);
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
		watch_init(&pool->seats[i].watch);
		monotonic_cond_init(&pool->seats[i].woken);
	}
	return 0;
}

/* The first thread, without which there is nobody to serve. */
static int open_pool(struct pool *pool, struct error *err)
{
	const struct connection none = {.fd = -1};

	if (open_seats(pool, err) < 0 ||
	    waiting_room_open(&pool->room, room_limit(pool) + 1, err) < 0)
		return -1;
	if (hand_over(pool, &none, 1))
		return 0;
	return error_errno(err, ERROR_INTERNAL, pool->start_errnum, "starting a thread");
}

struct pool *pool_new(struct app *app, const struct limits *limits, struct error *err)
{
	struct pool *pool = calloc(1, sizeof *pool);
	int rc;

	if (!pool) {
		error_no_memory(err);
		return NULL;
	}
	limit_arenas();
	pool->app = app;
	pool->limits = *limits;
	pool->patience_ns = app->settings.timeout_s * INT64_C(1000000000) / 2;
	pool->n_seats = limits->threads + LIMITS_REFUSERS;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_lock(&pool->lock);
	rc = open_pool(pool, err);
	pthread_mutex_unlock(&pool->lock);
	if (rc == 0)
		return pool;
	pool_free(pool);
	return NULL;
}

void pool_free(struct pool *pool)
{
	size_t i;

	if (!pool)
		return;
	pool_end(pool, monotonic_ns());
	for (i = 0; pool->seats && i < pool->n_seats; i++) {
		if (pool->seats[i].state != SEAT_EMPTY)
			pthread_join(pool->seats[i].thread, NULL);
		watch_destroy(&pool->seats[i].watch);
		pthread_cond_destroy(&pool->seats[i].woken);
	}
	waiting_room_close(&pool->room);
	pthread_mutex_destroy(&pool->lock);
	free(pool->seats);
	free(pool);
}
