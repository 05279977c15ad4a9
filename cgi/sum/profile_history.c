#include "cgi/sum/profile_history.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/base/buffer.h"
#include "cgi/format/byte_reader.h"
#include "cgi/format/uleb.h"

enum {
	DIGEST_SIZE = 33,
	TREE_NODE = 48, /* bytes, about */
	STEP = 64,	/* counters that are looked at at once */
};

struct earlier_profile {
	char digest[DIGEST_SIZE]; /* first: a digest alone is a key to search with */
	struct lru_entry kept;
	struct profile_history *history;
	struct covprofile *packages; /* this is a user of it */
	size_t len;
	unsigned char counters[]; /* packed */
};

/* --- packing: how many zeros, how many counters behind them, these counters, and so on ------- */

static size_t end_of_zeros(const uint32_t *counters, size_t at, size_t n)
{
	static const uint32_t zeros[STEP];

	while (n - at >= STEP && memcmp(counters + at, zeros, sizeof zeros) == 0)
		at += STEP;
	while (at < n && !counters[at])
		at++;
	return at;
}

static void pack_run(struct buffer *out, size_t zeros, const uint32_t *counters, size_t n)
{
	char *room = buffer_reserve(out, 2 * ULEB_MAX + n * ULEB_COUNTER_MAX);
	unsigned char *start = (unsigned char *)room, *at = start;

	if (!room)
		return;
	at += uleb_put(at, zeros);
	at += uleb_put(at, n);
	at = uleb_put_counters(at, counters, n);
	out->len += (size_t)(at - start);
}

static void pack(struct buffer *out, const uint32_t *counters, size_t n)
{
	size_t at = 0, from, end;

	while ((from = end_of_zeros(counters, at, n)) < n) {
		for (end = from; end < n && counters[end]; end++)
			;
		pack_run(out, from - at, counters + from, end - from);
		at = end;
	}
}

static void unpack(const struct earlier_profile *earlier, uint32_t *counters)
{
	/* the bytes are our own, and whole */
	struct byte_reader rest = byte_reader_on(earlier->counters, earlier->len);
	uint64_t n;

	while (byte_reader_left(&rest)) {
		counters += byte_reader_uleb(&rest);
		for (n = byte_reader_uleb(&rest); n; n--)
			*counters++ = (uint32_t)byte_reader_uleb(&rest);
	}
}

/* --- keeping --------------------------------------------------------------------------------- */

static int by_digest(const void *a, const void *b)
{
	return strncmp(a, b, DIGEST_SIZE);
}

static struct earlier_profile *find(struct profile_history *history, const char *digest)
{
	struct earlier_profile **found = tfind(digest, &history->by_digest, by_digest);

	if (!found)
		return NULL;
	lru_use(history->lru, &(*found)->kept);
	return *found;
}

bool profile_history_has(struct profile_history *history, const char *digest)
{
	return find(history, digest);
}

int profile_history_open(struct profile_history *history, const char *digest,
			 struct covprofile **profile, struct error *err)
{
	const struct earlier_profile *found = find(history, digest);

	*profile = NULL;
	if (!found)
		return 0;
	*profile = covprofile_copy_parts(found->packages, err);
	if (!*profile || covprofile_make_counters(*profile, 0, err) < 0) {
		covprofile_release(steal_ptr(*profile));
		return -1;
	}
	unpack(found, (*profile)->counters);
	return 0;
}

static void forget(struct lru_entry *entry)
{
	struct earlier_profile *earlier = lru_thing(entry, struct earlier_profile, kept);

	tdelete(earlier, &earlier->history->by_digest, by_digest);
	covprofile_release(earlier->packages);
	free(earlier);
}

/* Have the packages of the profile at hand.  Returns the bytes that they take where they are new;
 * -1 without memory. */
static ssize_t take_packages(struct profile_history *history, const struct covprofile *profile)
{
	struct error ignored;

	if (history->packages && covprofile_same_counters(history->packages, profile))
		return 0;
	covprofile_release(history->packages);
	history->packages = covprofile_copy_parts(profile, &ignored);
	/* what is derived of them must not stay as long */
	if (history->packages && covprofile_part_derived(history->packages, &ignored) < 0)
		covprofile_release(steal_ptr(history->packages));
	return history->packages ? (ssize_t)covprofile_memory(history->packages) : -1;
}

void profile_history_add(struct profile_history *history, const char *digest,
			 const struct covprofile *profile)
{
	cleanup_buffer struct buffer packed = BUFFER_INIT;
	struct earlier_profile *made = NULL;
	ssize_t bytes;

	if (profile_history_has(history, digest))
		return;
	pack(&packed, profile->counters, profile->n_counters);
	bytes = take_packages(history, profile);
	if (!packed.failed && bytes >= 0)
		made = calloc(1, sizeof *made + packed.len);
	if (!made)
		return;
	memcpy(made->digest, digest, strnlen(digest, DIGEST_SIZE - 1));
	made->history = history;
	made->packages = covprofile_use(history->packages);
	made->len = packed.len;
	if (packed.len)
		memcpy(made->counters, packed.data, packed.len);
	made->kept.bytes = sizeof *made + TREE_NODE + packed.len + (size_t)bytes;
	made->kept.forget = forget;
	if (tsearch(made, &history->by_digest, by_digest)) {
		lru_add(history->lru, &made->kept);
		return;
	}
	covprofile_release(made->packages);
	free(made);
}

void profile_history_close(struct profile_history *history)
{
	covprofile_release(steal_ptr(history->packages));
}
