#include "cgi/text/text_cache.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TEXTS = 4 };

struct kept_text {
	char name[TEXT_CACHE_NAME_MAX + 1];
	struct profile_text *text; /* this is a user of it */
	const char *engine;
	const void *packages; /* to be compared, no more: it may be gone */
	uint64_t used;	      /* when it was asked for last, by the count of calls */
};

struct text_cache {
	pthread_mutex_t lock;
	size_t budget;
	uint64_t calls;
	struct kept_text texts[TEXTS];
};

struct text_cache *text_cache_new(size_t budget)
{
	struct text_cache *cache = calloc(1, sizeof *cache);

	if (!cache || pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		return NULL;
	}
	cache->budget = budget;
	return cache;
}

static void forget(struct kept_text *kept)
{
	profile_text_release(kept->text);
	*kept = (struct kept_text){.text = NULL};
}

static struct kept_text *find(struct text_cache *cache, const char *name)
{
	size_t i;

	for (i = 0; i < TEXTS; i++)
		if (*name && strcmp(cache->texts[i].name, name) == 0)
			return &cache->texts[i];
	return NULL;
}

/* A free place once there is room for `size` more bytes; what was not asked for longest goes. */
static struct kept_text *make_room(struct text_cache *cache, size_t size)
{
	for (;;) {
		struct kept_text *empty = NULL, *oldest = NULL;
		size_t total = size, i;

		for (i = 0; i < TEXTS; i++) {
			struct kept_text *kept = &cache->texts[i];

			if (!kept->text) {
				empty = kept;
				continue;
			}
			total += kept->text->room;
			if (!oldest || kept->used < oldest->used)
				oldest = kept;
		}
		if (empty && (total <= cache->budget || !oldest))
			return empty;
		forget(oldest);
	}
}

bool text_cache_keeps(const struct text_cache *cache)
{
	return cache->budget > 0;
}

struct profile_text *text_cache_find(struct text_cache *cache, const char *name,
				     const char **engine)
{
	struct profile_text *text = NULL;
	struct kept_text *kept;

	pthread_mutex_lock(&cache->lock);
	kept = find(cache, name);
	if (kept) {
		kept->used = ++cache->calls;
		*engine = kept->engine;
		text = profile_text_use(kept->text);
	}
	pthread_mutex_unlock(&cache->lock);
	return text;
}

void text_cache_keep(struct text_cache *cache, const char *name, struct profile_text *text,
		     const char *engine, const void *packages)
{
	struct kept_text *kept;

	if (text->room > cache->budget)
		return;
	pthread_mutex_lock(&cache->lock);
	kept = find(cache, name);
	if (kept)
		forget(kept);
	else
		kept = make_room(cache, text->room);
	snprintf(kept->name, sizeof kept->name, "%s", name);
	kept->text = profile_text_use(text);
	kept->engine = engine;
	kept->packages = packages;
	kept->used = ++cache->calls;
	pthread_mutex_unlock(&cache->lock);
}

static bool is_same_kind(const char *a, const char *b)
{
	a = strrchr(a, '-');
	b = strrchr(b, '-');
	return a && b && strcmp(a, b) == 0;
}

struct profile_text *text_cache_retire(struct text_cache *cache, const char *name,
				       const void *packages)
{
	struct profile_text *text = NULL;
	size_t i;

	pthread_mutex_lock(&cache->lock);
	for (i = 0; i < TEXTS && !text; i++) {
		struct kept_text *kept = &cache->texts[i];

		if (!kept->text || kept->packages != packages || !is_same_kind(kept->name, name))
			continue;
		/* who has it from here alone can't be joined by others meanwhile */
		if (atomic_load(&kept->text->users) == 1)
			text = profile_text_use(kept->text);
		forget(kept);
	}
	pthread_mutex_unlock(&cache->lock);
	return text;
}

void text_cache_free(struct text_cache *cache)
{
	size_t i;

	if (!cache)
		return;
	for (i = 0; i < TEXTS; i++)
		forget(&cache->texts[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}
