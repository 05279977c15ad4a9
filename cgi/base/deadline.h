/*
 * How long a wait may last.  One deadline is made for each request and handed to everything that
 * waits: a point on the monotonic clock, and a descriptor that becomes readable when the wait has
 * lost its purpose (the process was told to end).
 */
#ifndef GOVERAGE_BASE_DEADLINE_H
#define GOVERAGE_BASE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

struct deadline {
	int64_t at_ns; /* CLOCK_MONOTONIC, nanoseconds */
	int cancel_fd; /* readable = give up now; -1 = none; not owned */
};

enum deadline_result {
	DEADLINE_READY, /* the descriptor is ready (or has an error that the next call will tell) */
	DEADLINE_PASSED,
	DEADLINE_CANCELLED,
};

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t monotonic_ns(void);

/* For pthread_cond_timedwait() on a condition of monotonic_cond_init(). */
struct timespec monotonic_time(int64_t at_ns);

/* A condition whose waits go by the monotonic clock. */
void monotonic_cond_init(pthread_cond_t *cond);

struct deadline deadline_in_ms(int64_t ms, int cancel_fd);

/* Milliseconds that are left, 0 when it has passed. */
int64_t deadline_left_ms(const struct deadline *d);

/*
 * Wait until fd is ready for events (poll(2)'s POLLIN, POLLOUT); fd -1 waits for the deadline or
 * the cancellation alone.  Interrupted waits go on.
 */
enum deadline_result deadline_wait(const struct deadline *d, int fd, short events);

#endif
