#include "cgi/reader/profile_history.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_SIZE = 33, TREE_NODE = 48 /* bytes, about */ };

struct remembered {
	char digest[DIGEST_SIZE];	/* first: a digest alone is a key to search with */
	struct packed_profile *profile; /* owned */
	struct remembered *younger, *older;
};

static int by_digest(const void *a, const void *b)
{
	return strncmp(a, b, DIGEST_SIZE);
}

static size_t memory_of(const struct remembered *remembered)
{
	return sizeof *remembered + TREE_NODE + packed_profile_memory(remembered->profile);
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
	packed_profile_free(remembered->profile);
	free(remembered);
}

const struct packed_profile *profile_history_find(struct profile_history *history,
						  const char *digest)
{
	struct remembered **found = tfind(digest, &history->by_digest, by_digest);

	if (!found)
		return NULL;
	unlink_one(history, *found);
	link_youngest(history, *found);
	return (*found)->profile;
}

void profile_history_add(struct profile_history *history, const char *digest,
			 struct packed_profile *profile)
{
	struct remembered *made = calloc(1, sizeof *made), **place;

	if (!made) {
		packed_profile_free(profile);
		return;
	}
	memcpy(made->digest, digest, strnlen(digest, DIGEST_SIZE - 1));
	made->profile = profile;
	place = tsearch(made, &history->by_digest, by_digest);
	if (!place || *place != made) {
		free_one(made);
		return;
	}
	link_youngest(history, made);
	history->bytes += memory_of(made);
}

bool profile_history_drop_oldest(struct profile_history *history)
{
	struct remembered *oldest = history->oldest;

	if (!oldest)
		return false;
	unlink_one(history, oldest);
	history->bytes -= memory_of(oldest);
	tdelete(oldest, &history->by_digest, by_digest);
	free_one(oldest);
	return true;
}

size_t profile_history_memory(const struct profile_history *history)
{
	return history->bytes;
}

void profile_history_free(struct profile_history *history)
{
	while (profile_history_drop_oldest(history))
		;
}
