/*
 * A lock that is waited for until a point on the monotonic clock: pthread_mutex_timedlock(3) knows
 * the clock of the day alone, and who sets that one would end or stretch every wait.
 */
#ifndef GOVERAGE_BASE_TIMED_LOCK_H
#define GOVERAGE_BASE_TIMED_LOCK_H

#include <pthread.h>
#include <stdbool.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"

struct timed_lock {
	pthread_mutex_t mutex; /* guards `taken` */
	pthread_cond_t given_back;
	bool taken;
};

void timed_lock_init(struct timed_lock *lock);
void timed_lock_destroy(struct timed_lock *lock);

/* 0, or -1 when the deadline has passed (its cancellation is not looked at). */
must_check int timed_lock_take_until(struct timed_lock *lock, const struct deadline *deadline);

void timed_lock_take(struct timed_lock *lock);
void timed_lock_give_back(struct timed_lock *lock);

#endif
