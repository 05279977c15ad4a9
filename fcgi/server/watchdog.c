#include "fcgi/server/watchdog.h"

#include <sys/socket.h>

#include "cgi/base/deadline.h"

/* To answer that the request did not come in time. */
static const int64_t last_words_ns = INT64_C(5000000000);

void watchdog_init(struct watchdog *watchdog)
{
	*watchdog = (struct watchdog){.fd = -1};
	pthread_mutex_init(&watchdog->lock, NULL);
}

void watchdog_destroy(struct watchdog *watchdog)
{
	pthread_mutex_destroy(&watchdog->lock);
}

void watchdog_begin(struct watchdog *watchdog, int connection, int64_t at_ns)
{
	pthread_mutex_lock(&watchdog->lock);
	watchdog->fd = connection;
	watchdog->phase = WATCHDOG_INPUT;
	watchdog->give_up_at_ns = at_ns;
	pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_input_complete(struct watchdog *watchdog)
{
	pthread_mutex_lock(&watchdog->lock);
	watchdog->phase = WATCHDOG_WORK;
	pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_output(struct watchdog *watchdog, size_t n, int64_t base_ns)
{
	int64_t allowed_ns = base_ns + (int64_t)(n / WATCHDOG_LEAST_RATE) * 1000000000;

	pthread_mutex_lock(&watchdog->lock);
	watchdog->phase = WATCHDOG_OUTPUT;
	watchdog->give_up_at_ns = monotonic_ns() + allowed_ns;
	pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_end(struct watchdog *watchdog)
{
	pthread_mutex_lock(&watchdog->lock);
	watchdog->fd = -1;
	pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_hurry(struct watchdog *watchdog, int64_t at_ns)
{
	pthread_mutex_lock(&watchdog->lock);
	if (watchdog->phase == WATCHDOG_INPUT && at_ns < watchdog->give_up_at_ns)
		watchdog->give_up_at_ns = at_ns;
	pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_look(struct watchdog *watchdog, int64_t now_ns)
{
	pthread_mutex_lock(&watchdog->lock);
	if (watchdog->fd >= 0 && watchdog->phase != WATCHDOG_WORK &&
	    now_ns >= watchdog->give_up_at_ns) {
		shutdown(watchdog->fd, watchdog->phase == WATCHDOG_INPUT ? SHUT_RD : SHUT_RDWR);
		watchdog->phase = WATCHDOG_OUTPUT;
		watchdog->give_up_at_ns = now_ns + last_words_ns;
	}
	pthread_mutex_unlock(&watchdog->lock);
}
