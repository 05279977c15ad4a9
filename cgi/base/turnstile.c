#include "cgi/base/turnstile.h"

#include <pthread.h>
#include <stdbool.h>

struct waiting {
	struct waiting *next;
	pthread_cond_t moved; /* `admitted`, or the turnstile's closing time, has changed */
	bool admitted;
};

struct turnstile {
	pthread_mutex_t lock; /* guards what follows */
	size_t places, free;
	int64_t closing_ns;    /* nobody waits any longer */
	struct waiting *first; /* in the order of their coming; `free` is 0 while somebody waits */
	struct waiting **last; /* where the next one is linked in */
};

struct turnstile *turnstile_new(size_t places)
{
	struct turnstile *turnstile = calloc(1, sizeof *turnstile);

	if (!turnstile || pthread_mutex_init(&turnstile->lock, NULL) != 0) {
		free(turnstile);
		return NULL;
	}
	turnstile->places = turnstile->free = places;
	turnstile->closing_ns = INT64_MAX;
	turnstile->last = &turnstile->first;
	return turnstile;
}

void turnstile_free(struct turnstile *turnstile)
{
	if (!turnstile)
		return;
	pthread_mutex_destroy(&turnstile->lock);
	free(turnstile);
}

static void line_up(struct turnstile *turnstile, struct waiting *waiting)
{
	*turnstile->last = waiting;
	turnstile->last = &waiting->next;
}

static void step_out(struct turnstile *turnstile, struct waiting *waiting)
{
	struct waiting **at = &turnstile->first;

	while (*at != waiting)
		at = &(*at)->next;
	*at = waiting->next;
	if (!*at)
		turnstile->last = at;
}

/* Wait in line until until_ns, with the lock.  True when a place was handed over. */
static bool wait_in_line(struct turnstile *turnstile, int64_t until_ns)
{
	struct waiting waiting = {0};

	monotonic_cond_init(&waiting.moved);
	line_up(turnstile, &waiting);
	while (!waiting.admitted) {
		int64_t end_ns =
		    until_ns < turnstile->closing_ns ? until_ns : turnstile->closing_ns;
		struct timespec end = monotonic_time(end_ns);

		if (monotonic_ns() >= end_ns)
			break;
		pthread_cond_timedwait(&waiting.moved, &turnstile->lock, &end);
	}
	if (!waiting.admitted)
		step_out(turnstile, &waiting);
	pthread_cond_destroy(&waiting.moved);
	return waiting.admitted;
}

int turnstile_enter(struct turnstile *turnstile, const struct deadline *deadline, struct error *err)
{
	int64_t now_ns = monotonic_ns();
	bool at_once, in;

	if (!turnstile)
		return 0;
	pthread_mutex_lock(&turnstile->lock);
	at_once = turnstile->free > 0;
	if (at_once)
		turnstile->free--;
	in = at_once || wait_in_line(turnstile, now_ns + (deadline->at_ns - now_ns) / 2);
	pthread_mutex_unlock(&turnstile->lock);
	if (in)
		return at_once ? 0 : 1;
	return error_set(err, ERROR_UNAVAILABLE,
			 "the turn of this request did not come in time (GOVERAGE_WORKERS is %zu): "
			 "try again in a moment",
			 turnstile->places);
}

size_t turnstile_waiting(struct turnstile *turnstile)
{
	const struct waiting *waiting;
	size_t n = 0;

	pthread_mutex_lock(&turnstile->lock);
	for (waiting = turnstile->first; waiting; waiting = waiting->next)
		n++;
	pthread_mutex_unlock(&turnstile->lock);
	return n;
}

void turnstile_leave(struct turnstile *turnstile)
{
	struct waiting *next;

	if (!turnstile)
		return;
	pthread_mutex_lock(&turnstile->lock);
	next = turnstile->first;
	if (next) {
		step_out(turnstile, next);
		next->admitted = true;
		pthread_cond_signal(&next->moved);
	} else {
		turnstile->free++;
	}
	pthread_mutex_unlock(&turnstile->lock);
}

void turnstile_close(struct turnstile *turnstile, int64_t at_ns)
{
	struct waiting *waiting;

	pthread_mutex_lock(&turnstile->lock);
	turnstile->closing_ns = at_ns;
	for (waiting = turnstile->first; waiting; waiting = waiting->next)
		pthread_cond_signal(&waiting->moved);
	pthread_mutex_unlock(&turnstile->lock);
}
