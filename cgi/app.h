/* What lives as long as the process: the settings, and what was found out for all requests. */
#ifndef GOVERAGE_APP_H
#define GOVERAGE_APP_H

#include <pthread.h>

#include "cgi/base/buffer.h"
#include "cgi/baseline/baseline.h"
#include "cgi/covdata/covdata.h"
#include "cgi/base/error.h"
#include "cgi/base/turnstile.h"
#include "cgi/coverage/listing_cache.h"
#include "cgi/live/live.h"
#include "cgi/reader/reader.h"
#include "cgi/settings.h"
#include "cgi/text_cache.h"

struct app {
	struct settings settings;
	int cancel_fd; /* readable = end what is under way (CGI after SIGTERM); -1 = none */
	struct turnstile *turns;	  /* to be in work; NULL = any number at once; not owned */
	struct reader *reader;		  /* what was understood of coverage files */
	struct listing_cache *listings;	  /* what is in the coverage directories */
	struct text_cache *texts;	  /* the last profiles */
	struct baseline_cache *baselines; /* the last baseline */
	struct live_cache *live_cache;	  /* what was learnt about executables */
	pthread_mutex_t lock;		  /* guards what follows */
	struct covdata *covdata;	  /* NULL until it was found */
};

enum app_life {
	APP_FOR_ONE_ANSWER, /* CGI: whatever it kept would die with it */
	APP_FOR_MANY,
};

/*
 * Read the settings and prepare what the threads will share.  Kept between requests is what
 * GOVERAGE_CACHE allows, or nothing where there is but one.  -1 with the reason.
 */
must_check int app_init(struct app *app, enum app_life life, struct error *err);

/*
 * Go's covdata tool; looked for at the first use, and again as long as it is not found, so that
 * installing it needs no restart.  The app owns it.  NULL with the reason.
 */
must_check struct covdata *app_covdata(struct app *app, struct error *err);

/*
 * Give up what this process won't need: see confine().  To be called once everything is open, and
 * before there are threads.  socket_path is of the socket that is removed at the end, or NULL.
 */
must_check int app_confine(struct app *app, const char *socket_path, struct buffer *said,
			   struct error *err);

void app_free(struct app *app);

#endif
