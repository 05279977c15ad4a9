/*
 * The programs whose meta-data has been read: each file once, for as long as it stays what it is.
 * A program counts its users; the cache is one of them.  The cache is not locked: its owner sees to
 * that.
 */
#ifndef GOVERAGE_SUM_PROGRAM_H
#define GOVERAGE_SUM_PROGRAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/directory/inputs.h"
#include "cgi/directory/source_file.h"
#include "cgi/format/covmeta.h"

struct program {
	atomic_uint users;
	char *tag; /* owned */
	struct file_identity identity;
	struct covmeta meta; /* immutable */
	char *reason; /* owned; what is wrong with the file, to follow its name; NULL = nothing */
	bool unread;  /* the system did not let us read it this time */
	bool newer;   /* its format version is not known here */
	bool logged;  /* the reason has been */
	uint64_t used_at;     /* the cache's clock at its last use */
	struct program *next; /* in the cache */
};

struct program_cache {
	struct program *first; /* owned list */
	struct package_store packages;
	uint64_t clock; /* ticks once a request: see program_cache_tick() */
};

#define PROGRAM_CACHE_INIT ((struct program_cache){0})

/*
 * The program of a meta-data file, read now if it is not known.  *program gets it, with the caller
 * as a user; its `reason` tells where the file is damaged; NULL where the file is no longer there.
 * -1: ERROR_UNAVAILABLE when the machine is out of something.
 */
must_check int program_cache_get(struct program_cache *cache, const struct input_file *meta,
				 struct program **program, struct error *err);

/* The request that has begun uses the program. */
void program_cache_use(const struct program_cache *cache, struct program *program);

/* A new request begins: what it uses is younger than all else.  What nobody has used for long is
 * forgotten. */
void program_cache_tick(struct program_cache *cache);

/* Forget the program that has been idle longest, if one has been since the last tick; false if
 * none. */
bool program_cache_drop_oldest(struct program_cache *cache);

/* Bytes of memory that the cache keeps. */
size_t program_cache_memory(const struct program_cache *cache);

void program_cache_free(struct program_cache *cache);

struct program *program_use(struct program *program);
void program_release(struct program *program);

#endif
