/*
 * The watchdog's eye on one connection: a peer that sends, or takes, a byte now and then never runs
 * into a limit on silence.
 */
#ifndef GOVERAGE_WATCH_H
#define GOVERAGE_WATCH_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum watch_phase {
	WATCH_INPUT,  /* the request comes in */
	WATCH_WORK,   /* whoever works on it has a deadline of its own */
	WATCH_OUTPUT, /* the answer goes out */
};

struct watch {
	pthread_mutex_t lock; /* guards what follows */
	int fd;		      /* the connection, not owned; -1 = nothing is watched */
	enum watch_phase phase;
	int64_t give_up_at_ns;
};

/* Once, before any other. */
void watch_init(struct watch *watch);

void watch_destroy(struct watch *watch);

/* Watch a connection whose request must be in by at_ns (monotonic clock). */
void watch_begin(struct watch *watch, int connection, int64_t at_ns);

/* The request is in. */
void watch_input_complete(struct watch *watch);

/*
 * An answer of n bytes goes out from now on: `base_ns` is allowed for it, and a second more for
 * each WATCH_LEAST_RATE bytes.
 */
void watch_output(struct watch *watch, size_t n, int64_t base_ns);

enum { WATCH_LEAST_RATE = 16 << 10 };

/* Before the connection is closed. */
void watch_end(struct watch *watch);

/* What comes in must be in by at_ns if that is earlier. */
void watch_hurry(struct watch *watch, int64_t at_ns);

/*
 * End what is overdue: input by closing the connection for reading, so that there can still be an
 * answer, for which there is little time; output by closing it altogether.
 */
void watch_look(struct watch *watch, int64_t now_ns);

#endif
