/*
 * A counter file (covcounters.<hash>.<pid>.<time>), taken apart without copying: what it says about
 * each function that ran.  Only the first segment is read, as covdata does; the hash in the header
 * is not looked at, the one in the file's name decides.
 */
#ifndef GOVERAGE_FORMAT_COVCOUNTERS_H
#define GOVERAGE_FORMAT_COVCOUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/byte_reader.h"

struct covcounters {
	struct byte_reader entries; /* stands at the next entry; ends with the file */
	uint32_t n_left;	    /* entries that are still to come */
	uint8_t flavor;		    /* enum counter_flavor, or a number that Go doesn't write */
	bool big_endian;	    /* of raw values */
};

/* The counters of one function. */
struct covcounters_entry {
	uint32_t package;      /* index in the meta-data file */
	uint32_t function;     /* index in the package */
	uint32_t n;	       /* counters */
	const uint8_t *values; /* encoded; n of them have been seen to be there */
};

/*
 * Check everything in front of the entries, and the footer.  *newer as in covmeta_read().  The
 * bytes must stay as long as *c is used.  -1: ERROR_INTERNAL with what is wrong with the file,
 * ERROR_UNAVAILABLE when out of memory.
 */
must_check int covcounters_open(struct covcounters *c, const uint8_t *bytes, size_t len,
				bool *newer, struct error *err);

/* The next entry: 1; 0 behind the last one; -1 with ERROR_INTERNAL where the file ends too
 * early. */
must_check int covcounters_next(struct covcounters *c, struct covcounters_entry *entry,
				struct error *err);

/*
 * An array of counters or marks is longer than it says by so many, which the functions below read
 * and write back unchanged.
 */
enum { COUNTERS_SLACK = 8 };

/*
 * Add the first n values of an entry of c (n is at most the number in the entry) to counters[]; a
 * sum stays at the largest 32-bit number when it would pass it.
 */
void covcounters_add(const struct covcounters *c, const uint8_t *values, uint32_t n,
		     uint32_t *counters);

/* For each of these values that is not 0 make the byte in marks[] something else than 0. */
void covcounters_mark(const struct covcounters *c, const uint8_t *values, uint32_t n,
		      uint8_t *marks);

#endif
