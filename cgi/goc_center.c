#include "cgi/goc_center.h"

int goc_center_handle(struct exchange *exchange, struct error *err)
{
	(void)exchange;
	return error_set(
	    err, ERROR_NOT_OFFERED,
	    "this is no goc center, and no service registers here: build the service with "
	    "go build -cover instead of goc build, and start it with GOCOVERDIR set, by "
	    "which it is found");
}
