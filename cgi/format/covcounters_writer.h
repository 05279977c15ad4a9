/* A counter file as a Go program writes it at its end: one segment, values in uleb. */
#ifndef GOVERAGE_FORMAT_COVCOUNTERS_WRITER_H
#define GOVERAGE_FORMAT_COVCOUNTERS_WRITER_H

#include "cgi/base/buffer.h"
#include "cgi/base/string_list.h"
#include "cgi/format/coverage_format.h"

/* The entries of a counter file, encoded. */
struct counter_entries {
	struct buffer bytes; /* owned */
	uint64_t n;	     /* functions */
};

#define COUNTER_ENTRIES_INIT ((struct counter_entries){0})

/* Append one function's counters; entries->bytes turns failed without memory. */
void counter_entries_add(struct counter_entries *entries, uint32_t package, uint32_t function,
			 const uint32_t *counters, uint32_t n);

void counter_entries_free(struct counter_entries *entries);

#define cleanup_counter_entries cleanup_with(counter_entries_free)

/*
 * The whole file: `argv` is the command line of the process, goarch as Go names the architecture.
 * Turns `out` failed without memory.
 */
void covcounters_write(struct buffer *out, const unsigned char hash[COVERAGE_HASH_SIZE],
		       const struct string_list *argv, const char *goarch,
		       const struct counter_entries *entries);

#endif
