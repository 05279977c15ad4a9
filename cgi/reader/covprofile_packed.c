#include "cgi/reader/covprofile_packed.h"

#include <string.h>

#include "cgi/coverage/coverage_format.h"
#include "cgi/coverage/uleb.h"
#include "cgi/reader/covcounters.h"

struct packed_profile {
	struct covprofile *parts; /* this is its one user; without counters */
	uint8_t *bytes;		  /* owned; the counters as in a counter file */
	size_t len;
};

enum { PIECE = 4096 }; /* counters that are packed at once */

/* Append len bytes to those that there are; *room is how many there is memory for. */
static int append(struct packed_profile *packed, size_t *room, const void *bytes, size_t len)
{
	if (packed->len + len > *room) {
		size_t more = packed->len + 2 * len + *room / 2;
		uint8_t *moved = realloc(packed->bytes, more);

		if (!moved)
			return -1;
		packed->bytes = moved;
		*room = more;
	}
	memcpy(packed->bytes + packed->len, bytes, len);
	packed->len += len;
	return 0;
}

/* As a rule a counter takes one byte; room for the longest ones is needed for a piece at a time. */
static int pack(struct packed_profile *packed, const struct covprofile *profile)
{
	unsigned char piece[PIECE * ULEB_COUNTER_MAX];
	size_t room = profile->n_counters + 1, at;

	packed->bytes = malloc(room);
	if (!packed->bytes)
		return -1;
	for (at = 0; at < profile->n_counters; at += PIECE) {
		size_t n = profile->n_counters - at < PIECE ? profile->n_counters - at : PIECE;
		unsigned char *end = uleb_put_counters(piece, profile->counters + at, n);

		if (append(packed, &room, piece, (size_t)(end - piece)) < 0)
			return -1;
	}
	return 0;
}

struct packed_profile *packed_profile_new(const struct covprofile *profile, struct error *err)
{
	cleanup_packed_profile struct packed_profile *packed = calloc(1, sizeof *packed);

	if (!packed || pack(packed, profile) < 0) {
		error_no_memory(err);
		return NULL;
	}
	packed->parts = covprofile_copy_parts(profile, err);
	return packed->parts ? steal_ptr(packed) : NULL;
}

struct covprofile *packed_profile_open(const struct packed_profile *packed, struct error *err)
{
	cleanup_covprofile struct covprofile *profile = covprofile_copy_parts(packed->parts, err);
	const struct covcounters c = {
	    .entries = {packed->bytes, packed->bytes + packed->len, false},
	    .flavor = COUNTER_ULEB,
	};

	if (!profile || covprofile_make_counters(profile, 0, err) < 0)
		return NULL;
	covcounters_add(&c, packed->bytes, (uint32_t)profile->n_counters, profile->counters);
	return steal_ptr(profile);
}

size_t packed_profile_memory(const struct packed_profile *packed)
{
	return sizeof *packed + covprofile_memory(packed->parts) + packed->len;
}

void packed_profile_free(struct packed_profile *packed)
{
	if (!packed)
		return;
	covprofile_release(packed->parts);
	free(packed->bytes);
	free(packed);
}
