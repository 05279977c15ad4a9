#include "cgi/reader/covprofile_packed.h"

#include <stdlib.h>

#include "cgi/base/buffer.h"
#include "cgi/coverage/coverage_format.h"
#include "cgi/coverage/uleb.h"
#include "cgi/reader/covcounters.h"

struct packed_profile {
	struct covprofile *parts; /* this is its one user; without counters */
	uint8_t *bytes;		  /* owned; the counters as in a counter file */
	size_t len;
};

enum { PIECE = 4096 }; /* counters that are packed at once */

/* As a rule a counter takes one byte; room for the longest ones is needed for a piece at a time. */
static int pack(struct packed_profile *packed, const struct covprofile *profile)
{
	cleanup_buffer struct buffer all = BUFFER_INIT;
	unsigned char piece[PIECE * ULEB_COUNTER_MAX];
	size_t at;

	for (at = 0; at < profile->n_counters; at += PIECE) {
		size_t n = profile->n_counters - at < PIECE ? profile->n_counters - at : PIECE;
		unsigned char *end = uleb_put_counters(piece, profile->counters + at, n);

		buffer_append(&all, piece, (size_t)(end - piece));
	}
	if (all.failed)
		return -1;
	packed->bytes = realloc(all.data, all.len + 1); /* it will stay as it is */
	if (!packed->bytes)
		return -1;
	all.data = NULL;
	packed->len = all.len;
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
