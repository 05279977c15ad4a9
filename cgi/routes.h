/* The routes: which function answers which path, by which methods. */
#ifndef GOVERAGE_ROUTES_H
#define GOVERAGE_ROUTES_H

#include <stdbool.h>

#include "cgi/exchange/exchange.h"

struct route {
	const char *path;  /* the end of SCRIPT_NAME + PATH_INFO */
	const char *allow; /* the value of the Allow header */
	int (*handle)(struct exchange *exchange, struct error *err);
	bool changes; /* the answer is not all that there is: something is different afterwards */
};

/*
 * The route of a request: by the end of its path, SCRIPT_NAME + PATH_INFO, so that one program works
 * under every mapping.  In front of the route may stand a mount point, as far as the web server
 * itself has cut it off: it lies in SCRIPT_NAME, and PATH_INFO is not empty.  NULL with
 * ERROR_NOT_FOUND, also for a path with the prefix in it twice.
 */
must_check const struct route *routes_find(const struct request *request, struct error *err);

/* Does the route take this method (OPTIONS included)? */
bool route_allows(const struct route *route, const char *method);

#endif
