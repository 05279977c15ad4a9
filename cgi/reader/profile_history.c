#include "cgi/reader/profile_history.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum {
	DIGEST_SIZE = 33,
	TREE_NODE = 48, /* bytes, about */
	BASES_SEEN = 8, /* directories that are polled in turn, as a rule one */
};

struct profile_base {
	struct covprofile *profile; /* this is a user of it */
	size_t states;		    /* that are there */
	size_t changes;		    /* bytes of all states that there have been */
	struct profile_base *next;
};

struct remembered {
	char digest[DIGEST_SIZE]; /* first: a digest alone is a key to search with */
	struct profile_base *base;
	struct profile_changes *changes; /* owned */
	struct remembered *younger, *older;
};

/* --- bases ---------------------------------------------------------------------------------------
 */

static size_t base_memory(const struct profile_base *base)
{
	return sizeof *base + covprofile_memory(base->profile);
}

static void move_to_front(struct profile_history *history, struct profile_base **at)
{
	struct profile_base *base = *at;

	*at = base->next;
	base->next = history->bases;
	history->bases = base;
}

struct covprofile *profile_history_base(struct profile_history *history,
					const struct covprofile *profile)
{
	struct profile_base **at = &history->bases, *base;
	unsigned seen;

	for (seen = 0; *at && seen < BASES_SEEN; seen++, at = &(*at)->next) {
		if (!covprofile_same_counters((*at)->profile, profile))
			continue;
		move_to_front(history, at);
		base = history->bases;
		return base->changes < base_memory(base) ? covprofile_use(base->profile) : NULL;
	}
	return NULL;
}

/* The entry of a base, in front of the list; NULL without memory. */
static struct profile_base *take_base(struct profile_history *history, struct covprofile *profile)
{
	struct profile_base **at = &history->bases, *base;

	while (*at && (*at)->profile != profile)
		at = &(*at)->next;
	if (*at) {
		move_to_front(history, at);
		return history->bases;
	}
	base = calloc(1, sizeof *base);
	if (!base)
		return NULL;
	base->profile = covprofile_use(profile);
	base->next = history->bases;
	history->bases = base;
	history->bytes += base_memory(base);
	return base;
}

static void drop_unused_base(struct profile_history *history, struct profile_base *base)
{
	struct profile_base **at = &history->bases;

	if (base->states)
		return;
	while (*at != base)
		at = &(*at)->next;
	*at = base->next;
	history->bytes -= base_memory(base);
	covprofile_release(base->profile);
	free(base);
}

/* --- states --------------------------------------------------------------------------------------
 */

static int by_digest(const void *a, const void *b)
{
	return strncmp(a, b, DIGEST_SIZE);
}

static size_t memory_of(const struct remembered *remembered)
{
	return sizeof *remembered + TREE_NODE + profile_changes_memory(remembered->changes);
}

static void link_youngest(struct profile_history *history, struct remembered *remembered)
{
	remembered->younger = NULL;
	remembered->older = history->youngest;
	*(history->youngest ? &history->youngest->younger : &history->oldest) = remembered;
	history->youngest = remembered;
}

static void unlink_one(struct profile_history *history, struct remembered *remembered)
{
	*(remembered->younger ? &remembered->younger->older : &history->youngest) =
	    remembered->older;
	*(remembered->older ? &remembered->older->younger : &history->oldest) = remembered->younger;
}

static void free_one(struct remembered *remembered)
{
	profile_changes_free(remembered->changes);
	free(remembered);
}

static const struct remembered *find(struct profile_history *history, const char *digest)
{
	struct remembered **found = tfind(digest, &history->by_digest, by_digest);

	if (!found)
		return NULL;
	unlink_one(history, *found);
	link_youngest(history, *found);
	return *found;
}

bool profile_history_has(struct profile_history *history, const char *digest)
{
	return find(history, digest);
}

int profile_history_open(struct profile_history *history, const char *digest,
			 struct covprofile **profile, struct error *err)
{
	const struct remembered *found = find(history, digest);

	*profile = NULL;
	if (!found)
		return 0;
	*profile = profile_changes_apply(found->changes, found->base->profile, err);
	return *profile ? 0 : -1;
}

/* False when the digest is there already, and without memory. */
static bool enter(struct profile_history *history, struct remembered *made)
{
	struct remembered **place = tsearch(made, &history->by_digest, by_digest);

	if (!place || *place != made)
		return false;
	link_youngest(history, made);
	history->bytes += memory_of(made);
	made->base->states++;
	made->base->changes += memory_of(made);
	return true;
}

void profile_history_add(struct profile_history *history, const char *digest,
			 struct covprofile *base, struct profile_changes *changes)
{
	struct remembered *made = calloc(1, sizeof *made);

	if (!made) {
		profile_changes_free(changes);
		return;
	}
	memcpy(made->digest, digest, strnlen(digest, DIGEST_SIZE - 1));
	made->changes = changes;
	made->base = take_base(history, base);
	if (made->base && enter(history, made))
		return;
	if (made->base)
		drop_unused_base(history, made->base);
	free_one(made);
}

bool profile_history_drop_oldest(struct profile_history *history)
{
	struct remembered *oldest = history->oldest;

	if (!oldest)
		return false;
	unlink_one(history, oldest);
	history->bytes -= memory_of(oldest);
	tdelete(oldest, &history->by_digest, by_digest);
	oldest->base->states--;
	drop_unused_base(history, oldest->base);
	free_one(oldest);
	return true;
}

/* --- the whole -----------------------------------------------------------------------------------
 */

size_t profile_history_memory(const struct profile_history *history)
{
	return history->bytes;
}

void profile_history_free(struct profile_history *history)
{
	while (profile_history_drop_oldest(history))
		;
}
