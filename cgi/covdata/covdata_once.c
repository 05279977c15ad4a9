#include "cgi/covdata/covdata_once.h"

#include <pthread.h>
#include <stdlib.h>

struct covdata_once {
	const struct settings *settings;
	pthread_mutex_t lock;	 /* guards what follows */
	struct covdata *covdata; /* NULL until it was found */
};

struct covdata_once *covdata_once_new(const struct settings *settings)
{
	struct covdata_once *once = calloc(1, sizeof *once);

	if (!once)
		return NULL;
	once->settings = settings;
	if (pthread_mutex_init(&once->lock, NULL) != 0) {
		free(once);
		return NULL;
	}
	return once;
}

struct covdata *covdata_once_get(struct covdata_once *once, struct error *err)
{
	struct covdata *covdata;

	pthread_mutex_lock(&once->lock);
	if (!once->covdata)
		once->covdata = covdata_find(once->settings, err);
	covdata = once->covdata;
	pthread_mutex_unlock(&once->lock);
	return covdata;
}

void covdata_once_free(struct covdata_once *once)
{
	if (!once)
		return;
	covdata_free(once->covdata);
	pthread_mutex_destroy(&once->lock);
	free(once);
}
