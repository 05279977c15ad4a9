#include "cgi/exchange/gocoverdir.h"

const char *coverage_directory(const struct exchange *exchange, struct error *err)
{
	const char *dir = exchange->app->settings.gocoverdir;

	if (!dir)
		dir = exchange->gateway->variable(exchange->gateway, "GOCOVERDIR");
	if (dir && *dir)
		return dir;
	error_set(err, ERROR_INTERNAL,
		  "GOCOVERDIR is not set: set it, in the web server's configuration of this "
		  "program, to the "
		  "directory that the covered services write to");
	return NULL;
}
