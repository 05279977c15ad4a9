/* The routes: which function answers which path, by which methods. */
#ifndef GOVERAGE_ROUTES_H
#define GOVERAGE_ROUTES_H

#include <stdbool.h>

#include "cgi/exchange/exchange.h"

struct route {
	const char *path;  /* the end of SCRIPT_NAME + PATH_INFO */
	const char *allow; /* the value of the Allow header */
	int (*handle)(struct exchange *exchange, struct error *err);
};

/*
 * The route of a request: by the end of its path, which must begin at a slash; one program works
 * under every mapping that way.  Where a mapping has taken the prefix away, REQUEST_URI is the last
 * resort. NULL with ERROR_NOT_FOUND.
 */
must_check const struct route *routes_find(const struct request *request, struct error *err);

/* Does the route take this method (OPTIONS included)? */
bool route_allows(const struct route *route, const char *method);

#endif
