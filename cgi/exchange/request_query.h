/* What a request asks for, wherever it says so: in its query string, and, of a POST, in its
 * body. */
#ifndef GOVERAGE_EXCHANGE_REQUEST_QUERY_H
#define GOVERAGE_EXCHANGE_REQUEST_QUERY_H

#include "cgi/base/error.h"
#include "cgi/exchange/query.h"
#include "cgi/exchange/request.h"

/*
 * Add both to *query.  -1: ERROR_BAD_REQUEST with the field that is wrong, ERROR_MEDIA_TYPE for a
 * compressed body, ERROR_UNAVAILABLE.
 */
must_check int request_query(struct query *query, const struct request *request, struct error *err);

#endif
