#include "cgi/routes.h"

#include <string.h>

#include "cgi/baseline/clear.h"
#include "cgi/list/list.h"
#include "cgi/profile/profile.h"

static const struct route routes[] = {
    {"/v1/cover/profile", "GET, HEAD, POST, OPTIONS", profile_handle},
    {"/v1/cover/clear", "POST, OPTIONS", clear_handle},
    {"/v1/cover/list", "GET, HEAD, OPTIONS", list_handle},
};

static bool ends_with(const char *path, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len >= end_len && memcmp(path + len - end_len, end, end_len) == 0;
}

static const struct route *match(const char *path, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof routes / sizeof *routes; i++)
		if (ends_with(path, len, routes[i].path))
			return &routes[i];
	return NULL;
}

static int no_route(const struct request *request, struct error *err)
{
	cleanup_buffer struct buffer paths = BUFFER_INIT;
	size_t i;

	for (i = 0; i < sizeof routes / sizeof *routes; i++)
		buffer_printf(&paths, "%s%s", i ? ", " : "", routes[i].path);
	return error_set(err, ERROR_NOT_FOUND, "there is nothing at \"%.256s\": ask for one of %s",
			 buffer_str(&request->path), buffer_str(&paths));
}

const struct route *routes_find(const struct request *request, struct error *err)
{
	const struct route *route = match(buffer_str(&request->path), request->path.len);

	if (!route)
		route = match(request->request_uri, strcspn(request->request_uri, "?#"));
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
