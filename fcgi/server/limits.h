/* How much the persistent process does at once. */
#ifndef GOVERAGE_FCGI_SERVER_LIMITS_H
#define GOVERAGE_FCGI_SERVER_LIMITS_H

#include <stddef.h>

#include "cgi/base/settings.h"

enum {
	LIMITS_THREADS = 128,	/* requests in work, or whose answers are sent, at most */
	LIMITS_UNFINISHED = 32, /* connections beyond those with requests, to read and to refuse */
};

struct limits {
	size_t workers;	    /* requests in work: listing, reading, covdata */
	size_t connections; /* requests that are there at once, waiting or not */
	size_t threads;	    /* how many of the requests have a thread */
};

/*
 * From the settings, and less where this process may not have the descriptors for it, which a line
 * in the log tells.
 */
struct limits limits_find(const struct settings *settings);

#endif
