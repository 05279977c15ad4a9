#include "cgi/base/timed_lock.h"

#include <errno.h>

void timed_lock_init(struct timed_lock *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
	monotonic_cond_init(&lock->given_back);
	lock->taken = false;
}

void timed_lock_destroy(struct timed_lock *lock)
{
	pthread_cond_destroy(&lock->given_back);
	pthread_mutex_destroy(&lock->mutex);
}

int timed_lock_take_until(struct timed_lock *lock, const struct deadline *deadline)
{
	const struct timespec until = monotonic_time(deadline->at_ns);
	int rc = 0;

	pthread_mutex_lock(&lock->mutex);
	while (lock->taken && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&lock->given_back, &lock->mutex, &until);
	rc = lock->taken ? -1 : 0;
	lock->taken = true;
	pthread_mutex_unlock(&lock->mutex);
	return rc;
}

void timed_lock_take(struct timed_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	while (lock->taken)
		pthread_cond_wait(&lock->given_back, &lock->mutex);
	lock->taken = true;
	pthread_mutex_unlock(&lock->mutex);
}

void timed_lock_give_back(struct timed_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	lock->taken = false;
	pthread_cond_signal(&lock->given_back);
	pthread_mutex_unlock(&lock->mutex);
}
