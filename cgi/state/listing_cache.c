#include "cgi/state/listing_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/directory/directory_watch.h"

enum { LISTINGS = 4 }; /* values of GOCOVERDIR: as a rule there is one */

struct listing {
	char *gocoverdir; /* owned; NULL = this place is free */
	struct directory_watch watch;
	uint64_t asked; /* the last question; after a question only its asker may keep */
	bool valid;	/* is `set` what the directories held when the watch was asked last? */
	struct coverage_set set;
	uint64_t used; /* when it was asked for last, by the count of questions */
};

struct listing_cache {
	size_t budget;
	pthread_mutex_t lock; /* for all below; never held while a directory is listed */
	uint64_t questions;   /* their numbers are those of the generations */
	struct listing listings[LISTINGS];
};

struct listing_cache *listing_cache_new(size_t budget)
{
	struct listing_cache *cache = calloc(1, sizeof *cache);
	size_t i;

	if (!cache || pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		return NULL;
	}
	cache->budget = budget / LISTINGS;
	for (i = 0; i < LISTINGS; i++)
		cache->listings[i].watch = DIRECTORY_WATCH_INIT;
	return cache;
}

static void drop_set(struct listing *listing)
{
	coverage_set_free(&listing->set);
	listing->valid = false;
}

static void forget(struct listing *listing)
{
	drop_set(listing);
	directory_watch_stop(&listing->watch);
	free(listing->gocoverdir);
	listing->gocoverdir = NULL;
}

/* The place of the directories, new where they have none; NULL when memory runs out. */
static struct listing *find(struct listing_cache *cache, const char *gocoverdir)
{
	struct listing *oldest = &cache->listings[0];
	size_t i;

	for (i = 0; i < LISTINGS; i++) {
		struct listing *listing = &cache->listings[i];

		if (listing->gocoverdir && strcmp(listing->gocoverdir, gocoverdir) == 0)
			return listing;
		if (listing->used < oldest->used)
			oldest = listing;
	}
	forget(oldest);
	oldest->gocoverdir = strdup(gocoverdir);
	return oldest->gocoverdir ? oldest : NULL;
}

/* A directory that is the same one may have another path by now. */
static bool are_paths(const struct string_list *a, const struct string_list *b)
{
	size_t i;

	for (i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	return a->n == b->n;
}

static size_t memory_of(const struct coverage_set *set)
{
	size_t bytes = set->n_files * sizeof *set->files, i;

	for (i = 0; i < set->n_files; i++)
		bytes += strlen(set->files[i].name) + 1;
	return bytes;
}

/* Bring what is kept up to date.  False when the directories must be listed. */
static bool follow(const struct listing_cache *cache, struct listing *listing,
		   const struct coverage_dirs *dirs)
{
	struct coverage_set *set = &listing->set;
	ssize_t n = directory_watch_count_changed(&listing->watch), i;
	struct error ignored;

	if (!listing->valid || n < 0 || !are_paths(&set->dirs, &dirs->paths))
		return false;
	if (n == 0)
		return true;
	if (coverage_set_own(set, &ignored) < 0)
		return false;
	set->generation = cache->questions;
	for (i = 0; i < n; i++) {
		size_t dir;
		const char *name = directory_watch_changed(&listing->watch, (size_t)i, &dir);

		if (coverage_list_again(set, dirs->fds[dir], (unsigned)dir, name) < 0)
			return false;
	}
	coverage_set_share(set);
	return memory_of(set) <= cache->budget;
}

/*
 * Take what is kept: 1, and *set is a copy; 0 where it must be listed, and *question is the number
 * of the question; -1 = error.
 */
static int take(struct listing_cache *cache, struct coverage_set *set, const char *gocoverdir,
		const struct coverage_dirs *dirs, uint64_t *question, struct error *err)
{
	struct listing *listing = find(cache, gocoverdir);

	*question = ++cache->questions;
	if (!listing)
		return 0;
	listing->used = *question;
	directory_watch_ask(&listing->watch, dirs->fds, dirs->paths.n);
	if (follow(cache, listing, dirs))
		return coverage_set_copy(set, &listing->set, err) < 0 ? -1 : 1;
	drop_set(listing);
	listing->asked = listing->watch.fd >= 0 ? *question : 0;
	return 0;
}

/* Keep what was listed after the question, unless somebody has asked again since. */
static void keep(struct listing_cache *cache, struct coverage_set *set, const char *gocoverdir)
{
	struct coverage_set copy;
	struct error ignored;
	size_t i;

	if (memory_of(set) > cache->budget)
		return;
	coverage_set_share(set);
	if (coverage_set_copy(&copy, set, &ignored) < 0) {
		coverage_set_free(&copy);
		return;
	}
	pthread_mutex_lock(&cache->lock);
	for (i = 0; i < LISTINGS; i++) {
		struct listing *listing = &cache->listings[i];

		if (listing->gocoverdir && listing->asked == set->generation &&
		    strcmp(listing->gocoverdir, gocoverdir) == 0) {
			listing->set = copy;
			listing->valid = true;
			copy = COVERAGE_SET_INIT;
		}
	}
	pthread_mutex_unlock(&cache->lock);
	coverage_set_free(&copy);
}

/* All that is known of the files is that they were there at this question. */
static void number(struct coverage_set *set, uint64_t question)
{
	size_t i;

	set->generation = question;
	for (i = 0; i < set->n_files; i++)
		set->files[i].changed = question;
}

int listing_cache_read(struct listing_cache *cache, struct coverage_set *set,
		       const char *gocoverdir, const struct coverage_dirs *dirs,
		       const struct deadline *deadline, struct error *err)
{
	uint64_t question;
	int taken;

	*set = COVERAGE_SET_INIT;
	if (!cache->budget)
		return coverage_set_list_dirs(set, dirs, deadline, err);
	pthread_mutex_lock(&cache->lock);
	taken = take(cache, set, gocoverdir, dirs, &question, err);
	pthread_mutex_unlock(&cache->lock);
	if (taken)
		return taken < 0 ? -1 : 0;
	if (coverage_set_list_dirs(set, dirs, deadline, err) < 0)
		return -1;
	number(set, question);
	keep(cache, set, gocoverdir);
	return 0;
}

void listing_cache_free(struct listing_cache *cache)
{
	size_t i;

	if (!cache)
		return;
	for (i = 0; i < LISTINGS; i++)
		forget(&cache->listings[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}
