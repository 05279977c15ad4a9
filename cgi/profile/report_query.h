/* What a request asks of a report. */
#ifndef GOVERAGE_PROFILE_REPORT_QUERY_H
#define GOVERAGE_PROFILE_REPORT_QUERY_H

#include "cgi/base/error.h"
#include "cgi/exchange/query.h"
#include "cgi/report/options.h"

/*
 * Take the options out of the query, whose lists move here.  -1: ERROR_BAD_REQUEST for a value that
 * is not known, with those that are, and for an option that the format has no use for.
 */
must_check int report_query_take(struct report_options *options, struct query *query,
				 struct error *err);

#endif
