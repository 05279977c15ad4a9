/*
 * Bytes behind an address: the one seam through which executables and process memory are read, so
 * that everything above it works on a file, a running process, or an array in a test alike.
 */
#ifndef GOVERAGE_LIVE_PROCESS_MEMORY_H
#define GOVERAGE_LIVE_PROCESS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/live/process/fault.h"

struct memory {
	/*
	 * Read exactly n bytes at `at`.  0, or -1: FAULT_UNMAPPED when not all of them are there
	 * (the reason says how many were), FAULT_GONE, FAULT_DENIED.
	 */
	int (*read)(const void *context, uint64_t at, void *out, size_t n, struct fault *fault);
	const void *context; /* not owned */
};

static inline must_check int memory_read(const struct memory *memory, uint64_t at, void *out,
					 size_t n, struct fault *fault)
{
	return memory->read(memory->context, at, out, n, fault);
}

/* The bytes of an open file; `at` is the offset.  *fd must stay where it is and open. */
struct memory memory_of_file(const int *fd);

struct memory_bytes {
	const unsigned char *data; /* not owned */
	size_t len;
	uint64_t base; /* the address of data[0] */
};

/* The bytes of an array. */
struct memory memory_of_bytes(const struct memory_bytes *bytes);

#endif
