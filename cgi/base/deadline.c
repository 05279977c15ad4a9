#include "cgi/base/deadline.h"

#include <limits.h>
#include <poll.h>

int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct timespec monotonic_time(int64_t at_ns)
{
	return (struct timespec){at_ns / 1000000000, at_ns % 1000000000};
}

void monotonic_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct deadline deadline_in_ms(int64_t ms, int cancel_fd)
{
	return (struct deadline){monotonic_ns() + ms * 1000000, cancel_fd};
}

int64_t deadline_left_ms(const struct deadline *d)
{
	int64_t left = d->at_ns - monotonic_ns();

	return left > 0 ? (left + 999999) / 1000000 : 0;
}

enum deadline_result deadline_wait(const struct deadline *d, int fd, short events)
{
	for (;;) {
		struct pollfd fds[2] = {{fd, events, 0}, {d->cancel_fd, POLLIN, 0}};
		int64_t left = deadline_left_ms(d);
		int n = poll(fds, 2, left > INT_MAX ? INT_MAX : (int)left);

		if (n > 0 && fds[1].revents)
			return DEADLINE_CANCELLED;
		if (n > 0 && fds[0].revents)
			return DEADLINE_READY;
		if (deadline_left_ms(d) == 0)
			return DEADLINE_PASSED;
	}
}
