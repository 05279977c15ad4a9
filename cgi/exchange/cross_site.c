#include "cgi/exchange/cross_site.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The length of a host, which may be an IPv6 address in brackets, with its port unless that is the
 * standard one. */
static size_t significant(const char *host, const char *standard_port)
{
	const char *end = strrchr(host, ']');
	const char *colon = strchr(end ? end : host, ':');

	if (colon && (colon[1] == '\0' || strcmp(colon + 1, standard_port) == 0))
		return (size_t)(colon - host);
	return strlen(host);
}

static bool same_host(const char *a, const char *b, const char *standard_port)
{
	size_t len = significant(a, standard_port);

	return len && len == significant(b, standard_port) && strncasecmp(a, b, len) == 0;
}

/* "null", and all that is no address of a page, is of nobody who may. */
static bool is_own_origin(const char *origin, const char *host)
{
	if (strncasecmp(origin, "http://", 7) == 0)
		return same_host(origin + 7, host, "80");
	if (strncasecmp(origin, "https://", 8) == 0)
		return same_host(origin + 8, host, "443");
	return false;
}

static bool is_own_site(const char *fetch_site)
{
	return strcasecmp(fetch_site, "same-origin") == 0 || strcasecmp(fetch_site, "none") == 0;
}

int cross_site_check(const struct request *request, struct error *err)
{
	if (*request->fetch_site && !is_own_site(request->fetch_site))
		return error_set(
		    err, ERROR_FORBIDDEN,
		    "a page of another site asks for this (Sec-Fetch-Site: %.32s), which "
		    "only pages of this host may: ask from elsewhere without a browser",
		    request->fetch_site);
	if (*request->origin && !is_own_origin(request->origin, request->host))
		return error_set(
		    err, ERROR_FORBIDDEN,
		    "a page of another site asks for this (Origin: %.128s, Host: %.128s), "
		    "which only pages of this host may: ask from elsewhere without a browser",
		    request->origin, *request->host ? request->host : "-");
	return 0;
}
