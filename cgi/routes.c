#include "cgi/routes.h"

#include <string.h>

#include "cgi/baseline/clear.h"
#include "cgi/goc_center.h"
#include "cgi/list/list.h"
#include "cgi/profile/profile.h"

static const char prefix[] = "/v1/cover/";

static const struct route routes[] = {
    {"/v1/cover/profile", "GET, HEAD, POST, OPTIONS", profile_handle, false},
    {"/v1/cover/clear", "POST, OPTIONS", clear_handle, true},
    {"/v1/cover/list", "GET, HEAD, OPTIONS", list_handle, false},
    {"/v1/cover/register", "GET, HEAD, POST, OPTIONS", goc_center_handle, false},
    {"/v1/cover/init", "GET, HEAD, POST, OPTIONS", goc_center_handle, false},
    {"/v1/cover/remove", "GET, HEAD, POST, OPTIONS", goc_center_handle, false},
};

static bool ends_with(const char *path, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len >= end_len && memcmp(path + len - end_len, end, end_len) == 0;
}

/*
 * May the route begin behind so many bytes?  The web server's rules were made for the path as it
 * maps it.  What stands in front of the route must be a mount point that the server itself has cut
 * off, or else a client could write anything there, and come under a path that no rule knows; and a
 * path that holds the prefix twice can have been mapped by the first one.
 */
static bool may_begin_at(const struct request *request, size_t at)
{
	const char *path = buffer_str(&request->path);

	if (strcasestr(path, prefix) != path + at)
		return false;
	if (at == 0)
		return true;
	return *path == '/' && request->script_len >= at &&
	       request->script_len < request->path.len && !strstr(path, "//") &&
	       !strstr(path, "/./") && !strstr(path, "/../");
}

static const struct route *match(const struct request *request)
{
	const char *path = buffer_str(&request->path);
	size_t len = request->path.len, i;

	for (i = 0; i < sizeof routes / sizeof *routes; i++)
		if (ends_with(path, len, routes[i].path))
			return may_begin_at(request, len - strlen(routes[i].path)) ? &routes[i]
										   : NULL;
	return NULL;
}

static int no_route(const struct request *request, struct error *err)
{
	cleanup_buffer struct buffer paths = BUFFER_INIT;
	size_t i;

	for (i = 0; i < sizeof routes / sizeof *routes; i++)
		if (routes[i].handle != goc_center_handle)
			buffer_printf(&paths, "%s%s", i ? ", " : "", routes[i].path);
	return error_set(err, ERROR_NOT_FOUND, "there is nothing at \"%.256s\": ask for one of %s",
			 buffer_str(&request->path), buffer_str(&paths));
}

const struct route *routes_find(const struct request *request, struct error *err)
{
	const struct route *route = match(request);

	if (!route)
		no_route(request, err);
	return route;
}

bool route_allows(const struct route *route, const char *method)
{
	size_t len = strlen(method);
	const char *at = route->allow;

	while (*at) {
		size_t word = strcspn(at, ",");

		if (word == len && memcmp(at, method, len) == 0)
			return true;
		at += word;
		at += strspn(at, ", ");
	}
	return false;
}
