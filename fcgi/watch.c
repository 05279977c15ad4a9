#include "fcgi/watch.h"

#include <sys/socket.h>

#include "cgi/base/deadline.h"

/* To answer that the request did not come in time. */
static const int64_t last_words_ns = INT64_C(5000000000);

void watch_init(struct watch *watch)
{
	*watch = (struct watch){.fd = -1};
	pthread_mutex_init(&watch->lock, NULL);
}

void watch_destroy(struct watch *watch)
{
	pthread_mutex_destroy(&watch->lock);
}

void watch_begin(struct watch *watch, int connection, int64_t at_ns)
{
	pthread_mutex_lock(&watch->lock);
	watch->fd = connection;
	watch->phase = WATCH_INPUT;
	watch->give_up_at_ns = at_ns;
	pthread_mutex_unlock(&watch->lock);
}

void watch_input_complete(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->phase = WATCH_WORK;
	pthread_mutex_unlock(&watch->lock);
}

void watch_output(struct watch *watch, size_t n, int64_t base_ns)
{
	int64_t allowed_ns = base_ns + (int64_t)(n / WATCH_LEAST_RATE) * 1000000000;

	pthread_mutex_lock(&watch->lock);
	watch->phase = WATCH_OUTPUT;
	watch->give_up_at_ns = monotonic_ns() + allowed_ns;
	pthread_mutex_unlock(&watch->lock);
}

void watch_end(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->fd = -1;
	pthread_mutex_unlock(&watch->lock);
}

void watch_hurry(struct watch *watch, int64_t at_ns)
{
	pthread_mutex_lock(&watch->lock);
	if (watch->phase == WATCH_INPUT && at_ns < watch->give_up_at_ns)
		watch->give_up_at_ns = at_ns;
	pthread_mutex_unlock(&watch->lock);
}

void watch_look(struct watch *watch, int64_t now_ns)
{
	pthread_mutex_lock(&watch->lock);
	if (watch->fd >= 0 && watch->phase != WATCH_WORK && now_ns >= watch->give_up_at_ns) {
		shutdown(watch->fd, watch->phase == WATCH_INPUT ? SHUT_RD : SHUT_RDWR);
		watch->phase = WATCH_OUTPUT;
		watch->give_up_at_ns = now_ns + last_words_ns;
	}
	pthread_mutex_unlock(&watch->lock);
}
