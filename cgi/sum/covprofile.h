/*
 * What a set of coverage files says together: the packages of all programs, each distinct one once,
 * and one 32-bit counter for each of their units.  Programs that share a package share its
 * counters: adding up is associative, so that adding by package instead of by program gives what
 * covdata prints.
 *
 * A profile counts its users.  It is changed only while it has one.
 */
#ifndef GOVERAGE_SUM_COVPROFILE_H
#define GOVERAGE_SUM_COVPROFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/covmeta.h"

struct profile_part {
	struct covpackage *package; /* the profile is a user of it */
	size_t first_counter;
};

/* What is told of a whole profile. */
struct covprofile_summary {
	char digest[33];	      /* of what is in it: 32 hexadecimal digits */
	uint32_t several_builds;      /* see covprofile_several_builds() */
	struct string_ref an_example; /* of these; its text lives as long as the profile */
};

/*
 * What somebody has made of the packages of a profile alone, to do again what he does with each of
 * them.  Profiles with the same packages share it.
 */
struct covprofile_derived {
	atomic_uint users;
	atomic_uint asked;    /* how often; what is asked for once is not worth being made */
	atomic_size_t limit;  /* bytes that it may take; 0 = it is never made */
	atomic_size_t bytes;  /* that it takes */
	_Atomic(void *) made; /* owned; NULL = it is not */
	_Atomic(void (*)(void *)) free_made;
};

struct covprofile {
	atomic_uint users;
	uint8_t mode;	     /* of the first program: enum counter_mode; 0 while there is none */
	uint8_t granularity; /* of the first program */
	bool mixed_modes; /* others were built with another mode: only covered or not can be told */
	struct profile_part *parts; /* owned; in the order in which they were added */
	uint32_t n_parts;
	uint32_t parts_cap;
	uint32_t *slots;    /* owned; a hash table over parts: index + 1, 0 = free */
	uint32_t n_slots;   /* a power of two, or 0 */
	uint32_t *counters; /* owned; n_counters, and COUNTERS_SLACK more */
	size_t n_counters;
	size_t counters_cap;
	struct covprofile_derived *derived;	    /* this is a user of it */
	struct covprofile_summary *_Atomic summary; /* owned; NULL until somebody asks */
};

/* An empty profile with one user; NULL when out of memory. */
must_check struct covprofile *covprofile_new(struct error *err);

/* A copy with one user, which can be changed. */
must_check struct covprofile *covprofile_copy(const struct covprofile *profile, struct error *err);

/* A copy with one user that has the packages, and no counters yet. */
must_check struct covprofile *covprofile_copy_parts(const struct covprofile *profile,
						    struct error *err);

/* Make the counters of such a copy, from number `from` on with zeros.  -1: ERROR_UNAVAILABLE. */
must_check int covprofile_make_counters(struct covprofile *profile, size_t from, struct error *err);

/*
 * Add the packages of a program, with zero counters where they are new.  first[i] becomes the index
 * of the first counter of package i of the program; first has room for meta->n_packages. -1:
 * ERROR_CONFLICT where the granularity of the counters differs, ERROR_UNAVAILABLE.
 */
must_check int covprofile_add_program(struct covprofile *profile, const struct covmeta *meta,
				      size_t *first, struct error *err);

/* Are so many parts the same packages at the same places? */
bool profile_parts_equal(const struct profile_part *a, const struct profile_part *b, uint32_t n);

/* Have both a counter for the same thing at the same place, and of the same kind? */
bool covprofile_same_counters(const struct covprofile *a, const struct covprofile *b);

/* The index of the first counter of a package that may be in the profile: -1 where it is not. */
ssize_t covprofile_find(const struct covprofile *profile, const struct covpackage *package);

/* Can counters only tell whether a unit was covered? */
static inline bool covprofile_is_set(const struct covprofile *profile)
{
	return profile->mixed_modes || profile->mode == COUNTER_MODE_SET;
}

/*
 * The indexes of all parts in the byte order of their import paths, equal ones as they were added.
 * The caller owns the array.  NULL when out of memory.
 */
must_check uint32_t *covprofile_sorted_parts(const struct covprofile *profile, struct error *err);

/* The index in such an array behind the last part with the import path of the one at `from`. */
uint32_t covprofile_group_end(const struct covprofile *profile, const uint32_t *sorted,
			      uint32_t from);

/*
 * How many import paths are there twice with different statement blocks for one source file?  Their
 * blocks come from different builds, and stand side by side in the text.  *example becomes one of
 * them (its text lives as long as the profile) where there are any.
 */
uint32_t covprofile_several_builds(const struct covprofile *profile, const uint32_t *sorted,
				   struct string_ref *example);

/* The summary is made when it is asked for first.  NULL when out of memory. */
must_check const struct covprofile_summary *covprofile_summary(struct covprofile *profile,
							       struct error *err);

/* The profile is about to be changed: its summary is no longer right. */
void covprofile_forget_summary(struct covprofile *profile);

/*
 * What `make` makes of the packages, within `limit` bytes, and `free_made` frees: the same for all
 * profiles with the same packages, from the second time on that one of them is asked for it.  NULL
 * before that, and without memory.
 */
void *covprofile_derive(struct covprofile *profile,
			void *(*make)(const struct covprofile *profile, size_t limit,
				      size_t *bytes),
			void (*free_made)(void *));

/* Share that with no other profile any more.  -1: ERROR_UNAVAILABLE. */
must_check int covprofile_part_derived(struct covprofile *profile, struct error *err);

struct covprofile *covprofile_use(struct covprofile *profile);
void covprofile_release(struct covprofile *profile);

/* Bytes of memory that it takes, the packages aside. */
size_t covprofile_memory(const struct covprofile *profile);

static inline void cleanup_covprofile_fn(struct covprofile **profile)
{
	covprofile_release(*profile);
}

#define cleanup_covprofile cleanup_with(cleanup_covprofile_fn)

#endif
