/*
 * What lives as long as the process: the settings, and what was found out for all requests.  Each
 * room knows its own part; here they are only named, so that whoever answers can hand them on.
 * app_life.h makes it and ends it.
 */
#ifndef GOVERAGE_EXCHANGE_APP_H
#define GOVERAGE_EXCHANGE_APP_H

#include "cgi/base/settings.h"

struct app {
	struct settings settings;
	int cancel_fd; /* readable = end what is under way (CGI after SIGTERM); -1 = none */
	struct fair_semaphore *turns;	  /* to be in work; NULL = any number at once; not owned */
	struct reader *reader;		  /* what was understood of coverage files */
	struct text_cache *texts;	  /* the last profiles */
	struct baseline_cache *baselines; /* the last baseline */
	struct live_cache *live_cache;	  /* what was learnt about executables */
	struct seen_processes *seen;	  /* the processes that were read */
	struct covdata_once *covdata;	  /* Go's own tool, once it was found */
};

#endif
