#include "cgi/exchange/request_query.h"

#include <string.h>
#include <strings.h>

static int check_encoding(const struct request *request, struct error *err)
{
	const char *encoding = request->content_encoding;

	if (!request->body.len || !*encoding || strcasecmp(encoding, "identity") == 0)
		return 0;
	return error_set(
	    err, ERROR_MEDIA_TYPE,
	    "the request body has the Content-Encoding %.64s, which is not read here: send "
	    "it as it is",
	    encoding);
}

int request_query(struct query *query, const struct request *request, struct error *err)
{
	if (query_add_form(query, request->query_string, strlen(request->query_string),
			   "query string", err) < 0)
		return -1;
	if (strcmp(request->method, "POST") != 0)
		return 0;
	if (check_encoding(request, err) < 0)
		return -1;
	return query_add_body(query, buffer_str(&request->body), request->body.len,
			      request->content_type, err);
}
