/*
 * A counter file, decoded as far as comparing two of them takes: which of a process's own files and
 * snapshots contain which.
 */
#ifndef GOVERAGE_LIVE_SNAPSHOT_COUNTER_FILE_H
#define GOVERAGE_LIVE_SNAPSHOT_COUNTER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/live/process/fault.h"

enum { COUNTER_FILE_MAX = 256 << 20 }; /* bytes */

struct counter_function {
	uint32_t package, function;
	uint32_t n; /* counters */
	size_t at;  /* of the first one, in counters[] */
};

struct counter_file {
	struct counter_function *functions; /* owned; by package, then function */
	size_t n_functions;
	uint32_t *counters; /* owned */
	size_t n_counters;
};

#define COUNTER_FILE_INIT ((struct counter_file){0})

/*
 * Decode the file as the reader does.  -1: FAULT_UNSUPPORTED for one that it would leave out,
 * FAULT_REQUEST.
 */
must_check int counter_file_parse(struct counter_file *file, const unsigned char *data, size_t len,
				  struct fault *fault);

/* Read and decode a file of a directory.  -1: FAULT_GONE when it can't be opened, and the above. */
must_check int counter_file_read(struct counter_file *file, int dir_fd, const char *name,
				 struct fault *fault);

/* Does `big` hold every function of `small`, with no counter lower? */
bool counter_file_contains(const struct counter_file *big, const struct counter_file *small);

/*
 * The fault of a file, or its directory, that could not be read for errno.  FAULT_GONE where nobody
 * can read it, and so nobody counts it; FAULT_REQUEST for any reason that may have passed when it
 * is added up: it must not count twice then.  Always returns -1.
 */
int counter_file_unread(struct fault *fault, const char *name);

void counter_file_free(struct counter_file *file);

#define cleanup_counter_file cleanup_with(counter_file_free)

#endif
