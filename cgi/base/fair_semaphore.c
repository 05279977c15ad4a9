#include "cgi/base/fair_semaphore.h"

#include <pthread.h>
#include <stdbool.h>

struct waiting {
	struct waiting *next;
	pthread_cond_t moved; /* `admitted`, or the semaphore's closing time, has changed */
	bool admitted;
};

struct fair_semaphore {
	pthread_mutex_t lock; /* guards what follows */
	size_t places, free;
	int64_t closing_ns;    /* nobody waits any longer */
	struct waiting *first; /* in the order of their coming; `free` is 0 while somebody waits */
	struct waiting **last; /* where the next one is linked in */
};

struct fair_semaphore *semaphore_new(size_t places)
{
	struct fair_semaphore *semaphore = calloc(1, sizeof *semaphore);

	if (!semaphore || pthread_mutex_init(&semaphore->lock, NULL) != 0) {
		free(semaphore);
		return NULL;
	}
	semaphore->places = semaphore->free = places;
	semaphore->closing_ns = INT64_MAX;
	semaphore->last = &semaphore->first;
	return semaphore;
}

void semaphore_free(struct fair_semaphore *semaphore)
{
	if (!semaphore)
		return;
	pthread_mutex_destroy(&semaphore->lock);
	free(semaphore);
}

static void line_up(struct fair_semaphore *semaphore, struct waiting *waiting)
{
	*semaphore->last = waiting;
	semaphore->last = &waiting->next;
}

static void step_out(struct fair_semaphore *semaphore, struct waiting *waiting)
{
	struct waiting **at = &semaphore->first;

	while (*at != waiting)
		at = &(*at)->next;
	*at = waiting->next;
	if (!*at)
		semaphore->last = at;
}

/* Wait in line until until_ns, with the lock.  True when a place was handed over. */
static bool wait_in_line(struct fair_semaphore *semaphore, int64_t until_ns)
{
	struct waiting waiting = {0};

	monotonic_cond_init(&waiting.moved);
	line_up(semaphore, &waiting);
	while (!waiting.admitted) {
		int64_t end_ns =
		    until_ns < semaphore->closing_ns ? until_ns : semaphore->closing_ns;
		struct timespec end = monotonic_time(end_ns);

		if (monotonic_ns() >= end_ns)
			break;
		pthread_cond_timedwait(&waiting.moved, &semaphore->lock, &end);
	}
	if (!waiting.admitted)
		step_out(semaphore, &waiting);
	pthread_cond_destroy(&waiting.moved);
	return waiting.admitted;
}

int semaphore_acquire(struct fair_semaphore *semaphore, const struct deadline *deadline,
		      struct error *err)
{
	int64_t now_ns = monotonic_ns();
	bool at_once, in;

	if (!semaphore)
		return 0;
	pthread_mutex_lock(&semaphore->lock);
	at_once = semaphore->free > 0;
	if (at_once)
		semaphore->free--;
	in = at_once || wait_in_line(semaphore, now_ns + (deadline->at_ns - now_ns) / 2);
	pthread_mutex_unlock(&semaphore->lock);
	if (in)
		return at_once ? 0 : 1;
	return error_set(err, ERROR_UNAVAILABLE,
			 "the turn of this request did not come in time (GOVERAGE_WORKERS is %zu): "
			 "try again in a moment",
			 semaphore->places);
}

size_t semaphore_waiting(struct fair_semaphore *semaphore)
{
	const struct waiting *waiting;
	size_t n = 0;

	pthread_mutex_lock(&semaphore->lock);
	for (waiting = semaphore->first; waiting; waiting = waiting->next)
		n++;
	pthread_mutex_unlock(&semaphore->lock);
	return n;
}

void semaphore_release(struct fair_semaphore *semaphore)
{
	struct waiting *next;

	if (!semaphore)
		return;
	pthread_mutex_lock(&semaphore->lock);
	next = semaphore->first;
	if (next) {
		step_out(semaphore, next);
		next->admitted = true;
		pthread_cond_signal(&next->moved);
	} else {
		semaphore->free++;
	}
	pthread_mutex_unlock(&semaphore->lock);
}

void semaphore_close(struct fair_semaphore *semaphore, int64_t at_ns)
{
	struct waiting *waiting;

	pthread_mutex_lock(&semaphore->lock);
	semaphore->closing_ns = at_ns;
	for (waiting = semaphore->first; waiting; waiting = waiting->next)
		pthread_cond_signal(&waiting->moved);
	pthread_mutex_unlock(&semaphore->lock);
}
