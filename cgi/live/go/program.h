/*
 * What the packages that a program has registered tell about it: all that is in its covmeta file.
 * Made once for all processes of a program and never changed afterwards.
 */
#ifndef GOVERAGE_LIVE_GO_PROGRAM_H
#define GOVERAGE_LIVE_GO_PROGRAM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cgi/base/buffer.h"
#include "cgi/format/coverage_hash.h"
#include "cgi/live/go/registration.h"

enum { HASH_HEX_SIZE = 2 * COVERAGE_HASH_SIZE + 1 };

struct program_package {
	uint32_t n_functions;
	uint32_t *units; /* owned; blocks, and therefore counters, of each function */
};

struct hard_id {
	int64_t id;
	uint32_t index;
};

struct program {
	struct registration registration;
	struct program_package *packages; /* owned; registration.n of them */
	struct hard_id *hard_ids;	  /* owned; by id */
	uint32_t n_hard_ids;
	uint64_t functions;  /* of all packages */
	uint8_t mode;	     /* enum counter_mode: set, count or atomic */
	uint8_t granularity; /* enum counter_granularity */
	unsigned char hash[COVERAGE_HASH_SIZE];
	char hex[HASH_HEX_SIZE]; /* the hash as file names have it */
	size_t meta_size;	 /* bytes of its covmeta file */
	_Atomic bool settled;	 /* nothing speaks for more packages being registered later */
	_Atomic unsigned users;
};

/*
 * Understand a registration, which is taken over and left empty (unless memory runs out at once).
 * A new program with one user, or NULL: FAULT_UNSUPPORTED where the meta-data make no sense,
 * FAULT_REQUEST.
 */
must_check struct program *program_new(struct registration *registration, struct fault *fault);

/* Is this the registration that the program was made from?  Addresses don't count. */
bool program_is(const struct program *program, const struct registration *registration);

/* The index of the package with the identifier that is in a counter slot, or -1. */
int64_t program_package_index(const struct program *program, int32_t id);

/* The bytes of the covmeta file, as the program itself writes it.  Turns `out` failed without
 * memory. */
void program_write_meta(const struct program *program, struct buffer *out);

/* One more user; one user less, the last one frees it. */
struct program *program_get(struct program *program);
void program_put(struct program **program);

#define cleanup_program cleanup_with(program_put)

#endif
