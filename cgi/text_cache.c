#include "cgi/text_cache.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { TEXTS = 4, DIGEST_ROOM = 40 };

struct text {
	char digest[DIGEST_ROOM]; /* "" = no text here */
	int fd;
	uint64_t size;
	const char *engine;
	uint64_t used; /* when it was asked for last, by the count of calls */
};

struct text_cache {
	pthread_mutex_t lock;
	size_t budget;
	uint64_t calls;
	struct text texts[TEXTS];
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

static void forget(struct text *text)
{
	if (*text->digest)
		close(text->fd);
	*text = (struct text){.fd = -1};
}

static struct text *find(struct text_cache *cache, const char *digest)
{
	size_t i;

	for (i = 0; i < TEXTS; i++)
		if (*digest && strcmp(cache->texts[i].digest, digest) == 0)
			return &cache->texts[i];
	return NULL;
}

/* A free place once there is room for `size` more bytes; what was not asked for longest goes. */
static struct text *make_room(struct text_cache *cache, uint64_t size)
{
	for (;;) {
		struct text *empty = NULL, *oldest = NULL;
		uint64_t total = size;
		size_t i;

		for (i = 0; i < TEXTS; i++) {
			struct text *text = &cache->texts[i];

			total += text->size;
			if (!*text->digest)
				empty = text;
			else if (!oldest || text->used < oldest->used)
				oldest = text;
		}
		if (empty && (total <= cache->budget || !oldest))
			return empty;
		forget(oldest);
	}
}

int text_cache_find(struct text_cache *cache, const char *digest, const char **engine)
{
	struct text *text;
	int fd = -1;

	pthread_mutex_lock(&cache->lock);
	text = find(cache, digest);
	if (text) {
		text->used = ++cache->calls;
		*engine = text->engine;
		fd = fcntl(text->fd, F_DUPFD_CLOEXEC, 3);
	}
	pthread_mutex_unlock(&cache->lock);
	return fd;
}

void text_cache_keep(struct text_cache *cache, const char *digest, int fd, uint64_t size,
		     const char *engine)
{
	struct text *text;
	int kept;

	if (size > cache->budget)
		return;
	kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (kept < 0)
		return;
	pthread_mutex_lock(&cache->lock);
	text = find(cache, digest);
	if (text)
		forget(text);
	else
		text = make_room(cache, size);
	snprintf(text->digest, sizeof text->digest, "%s", digest);
	text->fd = kept;
	text->size = size;
	text->engine = engine;
	text->used = ++cache->calls;
	pthread_mutex_unlock(&cache->lock);
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
