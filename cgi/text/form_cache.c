#include "cgi/text/form_cache.h"

#include <pthread.h>
#include <string.h>

enum {
	FORMS = 4, /* directories that are polled at the same time, as a rule one */
	SEEN = 8,  /* profiles that came once, or are too large */
};

/* The last few of a kind, by their hashes. */
struct recent {
	uint64_t hashes[SEEN];
	unsigned next;
};

struct form_cache {
	size_t budget;
	pthread_mutex_t lock;		   /* for all below */
	struct text_renewal *forms[FORMS]; /* this is a user of them; the youngest first, NULL
					      behind the last */
	/* hashes of the packages of profiles without a form */
	struct recent seen, too_large;
};

struct form_cache *form_cache_new(size_t budget)
{
	struct form_cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		return NULL;
	cache->budget = budget;
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

/* Packages are immutable, and live as long as a profile that has them: their addresses tell them.
 */
static uint64_t hash_parts(const struct covprofile *profile)
{
	uint64_t hash = profile->n_parts;
	uint32_t i;

	for (i = 0; i < profile->n_parts; i++)
		hash = (hash ^ (uintptr_t)profile->parts[i].package) * 0x9e3779b97f4a7c15u;
	return hash | 1; /* 0 = free */
}

static void move_to_front(struct form_cache *cache, size_t i)
{
	struct text_renewal *form = cache->forms[i];

	memmove(cache->forms + 1, cache->forms, i * sizeof *cache->forms);
	cache->forms[0] = form;
}

static struct text_renewal *find(struct form_cache *cache, const struct covprofile *profile)
{
	size_t i;

	for (i = 0; i < FORMS && cache->forms[i]; i++)
		if (text_form_fits(text_renewal_form(cache->forms[i]), profile)) {
			move_to_front(cache, i);
			return text_renewal_use(cache->forms[0]);
		}
	return NULL;
}

static uint64_t *recent_find(struct recent *recent, uint64_t hash)
{
	size_t i;

	for (i = 0; i < SEEN; i++)
		if (recent->hashes[i] == hash)
			return &recent->hashes[i];
	return NULL;
}

static void recent_add(struct recent *recent, uint64_t hash)
{
	recent->hashes[recent->next++ % SEEN] = hash;
}

/* Has the profile come before?  From now on it has.  What would not be kept is not made again. */
static bool is_worth_it(struct form_cache *cache, uint64_t hash)
{
	uint64_t *seen = recent_find(&cache->seen, hash);

	if (!cache->budget || recent_find(&cache->too_large, hash))
		return false;
	if (seen)
		*seen = 0;
	else
		recent_add(&cache->seen, hash);
	return seen;
}

/* Let go of the oldest while they take too much; `hash` is that of the youngest. */
static void trim(struct form_cache *cache, uint64_t hash)
{
	size_t bytes = 0, i;

	for (i = 0; i < FORMS && cache->forms[i]; i++) {
		bytes += text_renewal_memory(cache->forms[i]);
		if (bytes > cache->budget)
			break;
	}
	for (; i < FORMS; i++) {
		text_renewal_release(cache->forms[i]);
		cache->forms[i] = NULL;
	}
	if (!cache->forms[0])
		recent_add(&cache->too_large, hash);
}

/* Put the form in front, as far as there is room for it. */
static void keep(struct form_cache *cache, struct text_renewal *form, uint64_t hash)
{
	text_renewal_release(cache->forms[FORMS - 1]);
	cache->forms[FORMS - 1] = text_renewal_use(form);
	move_to_front(cache, FORMS - 1);
	trim(cache, hash);
}

struct text_renewal *form_cache_get(struct form_cache *cache, const struct covprofile *profile)
{
	uint64_t hash = hash_parts(profile);
	struct text_renewal *renewal;
	struct text_form *form;
	struct error ignored;
	bool worth_it;

	pthread_mutex_lock(&cache->lock);
	renewal = find(cache, profile);
	if (renewal) /* its last text may have become too much */
		trim(cache, hash);
	worth_it = !renewal && is_worth_it(cache, hash);
	pthread_mutex_unlock(&cache->lock);
	if (!worth_it)
		return renewal;
	form = text_form_make(profile, &ignored);
	renewal = form ? text_renewal_new(form) : NULL;
	if (!renewal)
		return NULL;
	pthread_mutex_lock(&cache->lock);
	keep(cache, renewal, hash);
	pthread_mutex_unlock(&cache->lock);
	return renewal;
}

void form_cache_free(struct form_cache *cache)
{
	size_t i;

	if (!cache)
		return;
	for (i = 0; i < FORMS; i++)
		text_renewal_release(cache->forms[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}
