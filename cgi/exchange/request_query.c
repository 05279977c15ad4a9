#include "cgi/exchange/request_query.h"

#include <string.h>

int request_query(struct query *query, const struct request *request, struct error *err)
{
	if (query_add_form(query, request->query_string, strlen(request->query_string),
			   "query string", err) < 0)
		return -1;
	if (strcmp(request->method, "POST") != 0)
		return 0;
	return query_add_body(query, buffer_str(&request->body), request->body.len,
			      request->content_type, err);
}
