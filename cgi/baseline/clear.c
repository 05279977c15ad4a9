#include "cgi/baseline/clear.h"

#include "cgi/baseline/baseline_make.h"
#include "cgi/baseline/baseline_store.h"
#include "cgi/collect/collect.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/exchange/gocoverdir.h"
#include "cgi/exchange/request_query.h"

/* Before anything is collected: of two requests the later one sets the later state. */
static int open_state(struct state_dir *state, const struct exchange *exchange, const char *dir,
		      struct error *err)
{
	cleanup_coverage_dirs struct coverage_dirs dirs = {0};

	if (coverage_dirs_open(&dirs, dir, err) < 0)
		return -1;
	return state_dir_open_locked(state, &exchange->app->settings, &dirs.paths,
				     &exchange->deadline, err);
}

static void answer(struct response *response, const struct collection *collection,
		   const struct baseline_made *made)
{
	const struct live_report *live = &collection->live;
	char time[BASELINE_TIME_SIZE];

	baseline_time(time, made->set_ns);
	response_header(response, "Goverage-Baseline", "%s", time);
	response_header(response, "Goverage-Skipped", "%zu", made->n_skipped);
	if (collection->live_was_read)
		response_header(response, "Goverage-Live",
				"read=%zu denied=%zu gone=%zu unsupported=%zu", live->read,
				live->denied, live->gone, live->unsupported);
	buffer_puts(&response->text, "clear call successfully\n");
	response->content_type = "text/plain; charset=utf-8";
	response->status = 200;
}

int clear_handle(struct exchange *exchange, struct error *err)
{
	cleanup_query struct query query = QUERY_INIT;
	cleanup_selection struct selection selection = SELECTION_INIT;
	cleanup_state_dir struct state_dir state = STATE_DIR_INIT;
	cleanup_collection struct collection collection = COLLECTION_INIT;
	struct baseline_made made;
	const char *dir;

	if (exchange->app->settings.clear == CLEAR_SETTING_OFF)
		return error_set(
		    err, ERROR_FORBIDDEN,
		    "clearing is switched off here (GOVERAGE_CLEAR=off): the ETag of an "
		    "answer as since=ETAG asks for what has run after it, and changes "
		    "nothing for others");
	if (request_query(&query, exchange->request, err) < 0 ||
	    selection_begin(&selection, &query, err) < 0)
		return -1;
	dir = coverage_directory(exchange, err);
	if (!dir || open_state(&state, exchange, dir, err) < 0)
		return -1;
	if (collect(&collection, exchange->app, dir, &selection, &exchange->deadline, err) < 0 ||
	    baseline_make(&made, &state, &collection, &selection, &exchange->deadline, err) < 0)
		return -1;
	answer(exchange->response, &collection, &made);
	selection_warn(&selection, exchange->response);
	return 0;
}
