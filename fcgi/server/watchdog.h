/*
 * The watchdog's eye on one connection: a peer that sends, or takes, a byte now and then never runs
 * into the time-out of a socket.
 */
#ifndef GOVERAGE_FCGI_SERVER_WATCHDOG_H
#define GOVERAGE_FCGI_SERVER_WATCHDOG_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum watchdog_phase {
	WATCHDOG_INPUT,	 /* the request comes in */
	WATCHDOG_WORK,	 /* whoever works on it has a deadline of its own */
	WATCHDOG_OUTPUT, /* the answer goes out */
};

struct watchdog {
	pthread_mutex_t lock; /* guards what follows */
	int fd;		      /* the connection, not owned; -1 = nothing is watched */
	enum watchdog_phase phase;
	int64_t give_up_at_ns;
};

/* Once, before any other. */
void watchdog_init(struct watchdog *watchdog);

void watchdog_destroy(struct watchdog *watchdog);

/* Watch a connection whose request must be in by at_ns (monotonic clock). */
void watchdog_begin(struct watchdog *watchdog, int connection, int64_t at_ns);

/* The request is in. */
void watchdog_input_complete(struct watchdog *watchdog);

/*
 * An answer of n bytes goes out from now on: `base_ns` is allowed for it, and a second more for
 * each WATCHDOG_LEAST_RATE bytes.
 */
void watchdog_output(struct watchdog *watchdog, size_t n, int64_t base_ns);

enum { WATCHDOG_LEAST_RATE = 16 << 10 };

/* Before the connection is closed. */
void watchdog_end(struct watchdog *watchdog);

/* What comes in must be in by at_ns if that is earlier. */
void watchdog_hurry(struct watchdog *watchdog, int64_t at_ns);

/*
 * End what is overdue: input by closing the connection for reading, so that there can still be an
 * answer, for which there is little time; output by closing it altogether.
 */
void watchdog_look(struct watchdog *watchdog, int64_t now_ns);

#endif
