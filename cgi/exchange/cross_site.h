/*
 * Requests that a page in somebody's browser makes without being asked to: a browser sends a form
 * to any host that it can reach, with whatever lets its user in there.
 */
#ifndef GOVERAGE_EXCHANGE_CROSS_SITE_H
#define GOVERAGE_EXCHANGE_CROSS_SITE_H

#include "cgi/base/error.h"
#include "cgi/exchange/request.h"

/*
 * Refuse what comes from a page of another origin: Sec-Fetch-Site says anything but same-origin or
 * none, or Origin is there and its host and port are not those of Host.  Whoever is no browser
 * sends neither.  -1: ERROR_FORBIDDEN.
 */
must_check int cross_site_check(const struct request *request, struct error *err);

#endif
