/*
 * Looking at other processes, one step after the other, so that none costs more than its time.
 *
 * Whoever resolves a path as another process sees it, opens its executable or reads its memory may
 * wait for a file system that does not answer, a dead NFS or FUSE mount, and nothing ends that wait
 * but the end of the whole process.  So this is done by a helper thread, while the one that needs
 * the result waits with an eye on the clock.  A step that takes too long is given up: its thread is
 * left behind, the process is remembered for as long as that thread is stuck, and another thread
 * goes on with the next step.
 *
 * Only the thread whose turn it is may touch what the threads have in common, and only between two
 * steps: during one, its turn may end at any time.
 */
#ifndef GOVERAGE_LIVE_PROCESS_STEPS_H
#define GOVERAGE_LIVE_PROCESS_STEPS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgi/base/deadline.h"

/* A process by its number and the inode of its directory in /proc, which no later one has. */
struct step {
	pid_t pid; /* 0 = none */
	uint64_t inode;
};

enum { STUCK_MAX = 64 }; /* threads that are left behind, of one program */

/* The processes at which threads are stuck.  Zeroed, and then initialised. */
struct stuck_processes {
	pthread_mutex_t lock; /* for all below */
	struct step list[STUCK_MAX];
};

void stuck_processes_init(struct stuck_processes *stuck);
void stuck_processes_destroy(struct stuck_processes *stuck);
bool stuck_processes_have(struct stuck_processes *stuck, const struct step *step);

struct steps {
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct stuck_processes *stuck; /* not owned */
	unsigned turn;		       /* the number of the thread whose turn it is */
	struct step now;
	int64_t since_ns; /* of that step: CLOCK_MONOTONIC */
	bool done;
};

void steps_init(struct steps *steps, struct stuck_processes *stuck);
void steps_destroy(struct steps *steps);

/* --- for the helper threads; a NULL turn is one that never ends ------------------------------ */

struct turn {
	struct steps *steps; /* not owned */
	unsigned number;
	struct step step; /* the last one that was begun */
};

/* false: the turn is over, and nothing that is in common may be touched again. */
bool turn_begin(struct turn *turn, const struct step *step);

/* The end of the step, if one was begun.  As above; whatever the step has found is worth
 * nothing. */
bool turn_end(struct turn *turn);

/* There are no more steps. */
void turn_finish(struct turn *turn);

/* --- for the one that waits ------------------------------------------------------------------ */

enum steps_result {
	STEPS_DONE,
	STEPS_STUCK,	/* *step was given up; begin a new turn */
	STEPS_TOO_LATE, /* the deadline has passed, or STUCK_MAX are stuck; the turn is over */
};

/* The number of the next turn, which ends the last one. */
unsigned steps_next_turn(struct steps *steps);

/* Wait for the end of all steps, as long as none takes more than patience_ms. */
enum steps_result steps_wait(struct steps *steps, int64_t patience_ms,
			     const struct deadline *deadline, struct step *step);

#endif
