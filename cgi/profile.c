#include "cgi/profile.h"

#include <string.h>

#include "cgi/collect.h"
#include "cgi/gocoverdir.h"
#include "cgi/query.h"

static int read_query(struct query *query, const struct request *request, struct error *err)
{
	if (query_add_form(query, request->query_string, strlen(request->query_string),
			   "query string", err) < 0)
		return -1;
	if (strcmp(request->method, "POST") != 0)
		return 0;
	return query_add_body(query, buffer_str(&request->body), request->body.len,
			      request->content_type, err);
}

static int no_data(const struct collection *collection, const char *dir, struct error *err)
{
	if (collection->set.skipped)
		return error_set(
		    err, ERROR_UNAVAILABLE,
		    "no coverage file in %.512s is usable: %zu were left out, the log says why",
		    dir, collection->set.skipped);
	return error_set(
	    err, ERROR_UNAVAILABLE,
	    "no coverage data in %.512s: no covered process has started or ended with this "
	    "GOCOVERDIR yet",
	    dir);
}

/* The profile of what was collected, before any filter. */
static int make_profile(struct exchange *exchange, struct collection *collection, struct error *err)
{
	const char *live = collection->live_fd >= 0 ? COLLECT_LIVE_NAME : NULL;
	struct covdata *covdata = app_covdata(exchange->app, err);
	cleanup_fd int text = -1;

	if (!covdata || coverage_set_check_modes(&collection->set, err) < 0)
		return -1;
	text = covdata_textfmt(covdata, &collection->set, &collection->staging, live,
			       &exchange->deadline, err);
	return text < 0 ? -1 : textfmt_map(&exchange->response->profile, text, err);
}

static void describe(struct response *response, const struct collection *collection)
{
	const struct live_report *live = &collection->live;

	response->status = 200;
	response->content_type = "text/plain; charset=utf-8";
	response_header(response, "Goverage-Skipped", "%zu", collection->set.skipped);
	if (collection->live_fd >= 0)
		response_header(response, "Goverage-Live",
				"read=%zu denied=%zu gone=%zu unsupported=%zu", live->read,
				live->denied, live->gone, live->unsupported);
}

static int answer_query(struct exchange *exchange, const struct query *query,
			struct path_filter *filter, struct error *err)
{
	cleanup_collection struct collection collection = COLLECTION_INIT;
	struct response *response = exchange->response;
	const char *dir = coverage_directory(exchange, err);

	if (!dir ||
	    collect(&collection, exchange->app, dir, &query->service, &exchange->deadline, err) < 0)
		return -1;
	if (collection_is_empty(&collection))
		return no_data(&collection, dir, err);
	if (make_profile(exchange, &collection, err) < 0)
		return -1;
	if (!response->profile.text)
		return no_data(&collection, dir, err);
	if (textfmt_filter(&response->profile, filter, err) < 0)
		return -1;
	describe(response, &collection);
	return 0;
}

int profile_handle(struct exchange *exchange, struct error *err)
{
	cleanup_query struct query query = QUERY_INIT;
	cleanup_path_filter struct path_filter *filter = NULL;

	/* a bad pattern is told before anything is run */
	if (read_query(&query, exchange->request, err) < 0)
		return -1;
	filter = path_filter_new(&query.cover_file, &query.skip_file, err);
	if (!filter)
		return -1;
	return answer_query(exchange, &query, filter, err);
}
