/*
 * A bound on how many threads are in one piece of work at once.  Who comes first goes first: a
 * place that becomes free is handed to the one who has waited longest, so that nobody is overtaken
 * until its deadline.
 */
#ifndef GOVERAGE_BASE_FAIR_SEMAPHORE_H
#define GOVERAGE_BASE_FAIR_SEMAPHORE_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"

struct fair_semaphore; /* private; for any number of threads */

/* One that lets in `places` (at least 1) at once.  NULL when memory runs out. */
must_check struct fair_semaphore *semaphore_new(size_t places);

/*
 * Come in; whoever does must leave again.  1 for who had to wait, 0 for who had not.  A wait takes
 * at most half of the time that is left until the deadline, so that the other half remains for the
 * work; its cancel_fd is not looked at.  -1 with ERROR_UNAVAILABLE when no place became free.  A
 * semaphore that is NULL lets in everybody.
 */
must_check int semaphore_acquire(struct fair_semaphore *semaphore, const struct deadline *deadline,
				 struct error *err);

/* How many are waiting at this moment. */
size_t semaphore_waiting(struct fair_semaphore *semaphore);

void semaphore_release(struct fair_semaphore *semaphore);

/* From now on nobody waits beyond at_ns on the monotonic clock, not even those who wait already. */
void semaphore_close(struct fair_semaphore *semaphore, int64_t at_ns);

/* Nobody may be in it.  NULL is fine. */
void semaphore_free(struct fair_semaphore *semaphore);

#endif
