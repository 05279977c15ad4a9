#include "cgi/reader/profile_changes.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/base/buffer.h"
#include "cgi/coverage/uleb.h"

/* Runs of counters that differ: how many are equal before it, how long it is, and the counters. */
struct profile_changes {
	size_t len;
	unsigned char bytes[];
};

enum {
	STEP = 64,   /* counters that are compared at once */
	PIECE = 512, /* counters that are written at once */
};

static size_t next_change(const uint32_t *a, const uint32_t *b, size_t at, size_t n)
{
	while (n - at >= STEP && memcmp(a + at, b + at, STEP * sizeof *a) == 0)
		at += STEP;
	while (at < n && a[at] == b[at])
		at++;
	return at;
}

static size_t end_of_change(const uint32_t *a, const uint32_t *b, size_t at, size_t n)
{
	while (at < n && a[at] != b[at])
		at++;
	return at;
}

static void put_number(struct buffer *out, uint64_t number)
{
	unsigned char bytes[ULEB_MAX];

	buffer_append(out, bytes, uleb_put(bytes, number));
}

static void put_counters(struct buffer *out, const uint32_t *counters, size_t n)
{
	unsigned char piece[PIECE * ULEB_COUNTER_MAX];
	size_t at;

	for (at = 0; at < n; at += PIECE) {
		size_t step = n - at < PIECE ? n - at : PIECE;
		const unsigned char *end = uleb_put_counters(piece, counters + at, step);

		buffer_append(out, piece, (size_t)(end - piece));
	}
}

static void put_changes(struct buffer *out, const uint32_t *now, const uint32_t *base, size_t n)
{
	size_t equal_from = 0, at, end;

	while ((at = next_change(now, base, equal_from, n)) < n) {
		end = end_of_change(now, base, at, n);
		put_number(out, at - equal_from);
		put_number(out, end - at);
		put_counters(out, now + at, end - at);
		equal_from = end;
	}
}

struct profile_changes *profile_changes_new(const struct covprofile *profile,
					    const struct covprofile *base, struct error *err)
{
	cleanup_buffer struct buffer bytes = BUFFER_INIT;
	struct profile_changes *changes = NULL;

	put_changes(&bytes, profile->counters, base->counters, profile->n_counters);
	if (!bytes.failed)
		changes = malloc(sizeof *changes + bytes.len);
	if (!changes) {
		error_no_memory(err);
		return NULL;
	}
	changes->len = bytes.len;
	if (bytes.len)
		memcpy(changes->bytes, bytes.data, bytes.len);
	return changes;
}

/* The bytes are our own, and whole. */
static uint64_t take_number(struct cursor *rest)
{
	uint64_t number;

	return uleb_take(rest, &number) ? number : 0;
}

struct covprofile *profile_changes_apply(const struct profile_changes *changes,
					 const struct covprofile *base, struct error *err)
{
	struct covprofile *profile = covprofile_copy(base, err);
	struct cursor rest = {changes->bytes, changes->bytes + changes->len};
	size_t at = 0, n;

	while (profile && cursor_left(&rest)) {
		at += take_number(&rest);
		for (n = take_number(&rest); n; n--)
			profile->counters[at++] = (uint32_t)take_number(&rest);
	}
	return profile;
}

size_t profile_changes_memory(const struct profile_changes *changes)
{
	return sizeof *changes + changes->len;
}

void profile_changes_free(struct profile_changes *changes)
{
	free(changes);
}
