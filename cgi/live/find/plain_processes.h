/*
 * Which processes were found to carry no coverage, remembered from scan to scan: those whose
 * GOCOVERDIR can't be told, such as all that show a title of their own, would be looked through at
 * each poll.  A process is known by its number, its start, the random addresses of its program, and
 * the size of its address space, which changes when it loads a library.
 */
#ifndef GOVERAGE_LIVE_FIND_PLAIN_PROCESSES_H
#define GOVERAGE_LIVE_FIND_PLAIN_PROCESSES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgi/live/process/process.h"

enum { PLAIN_PROCESSES_MAX = 4096 }; /* a power of two; whoever comes later takes the place */

/* All zeros: nothing is known.  For any number of threads. */
struct plain_processes {
	_Atomic uint64_t slots[PLAIN_PROCESSES_MAX];
};

/* Is it known to be one? */
bool plain_processes_have(const struct plain_processes *known, pid_t pid,
			  const struct process_stat *stat);

/* It is one, as it was when *stat was read. */
void plain_processes_add(struct plain_processes *known, pid_t pid, const struct process_stat *stat);

#endif
