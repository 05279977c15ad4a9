#include "cgi/list/list.h"

#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "cgi/base/escape.h"
#include "cgi/base/percent.h"
#include "cgi/collect/endings.h"
#include "cgi/collect/service_filter.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/exchange/gocoverdir.h"
#include "cgi/exchange/query.h"
#include "cgi/list/list_detail.h"
#include "cgi/list/list_ended.h"
#include "cgi/list/list_short.h"

struct list_request {
	struct query query;
	bool detail;
	const char *dir; /* GOCOVERDIR; not owned */
	struct coverage_dirs dirs;
	bool live_was_read;
	int64_t looked_ns; /* since then, as endings.h has it */
	struct live_report live;
	struct utsname host;
};

static void list_request_free(struct list_request *list)
{
	live_report_free(&list->live);
	coverage_dirs_close(&list->dirs);
	query_free(&list->query);
}

/* --- the request ----------------------------------------------------------------------------- */

static int set_format(struct list_request *list, const struct buffer *value, struct error *err)
{
	cleanup_buffer struct buffer shown = BUFFER_INIT;

	if (value->len == 6 && memcmp(value->data, "detail", 6) == 0) {
		list->detail = true;
		return 0;
	}
	escape_plain(&shown, buffer_str(value), value->len);
	return error_set(err, ERROR_BAD_REQUEST,
			 "format is \"%.128s\", which is not known: say format=detail, or leave it "
			 "out for the short list",
			 buffer_str(&shown));
}

/* One pair of the query string, of which query_add_form() has taken the rest. */
static int read_pair(struct list_request *list, const char *pair, size_t n, struct error *err)
{
	cleanup_buffer struct buffer name = BUFFER_INIT, value = BUFFER_INIT;
	const char *equals = memchr(pair, '=', n);
	size_t name_len = equals ? (size_t)(equals - pair) : n;

	if (percent_decode(&name, pair, name_len, true) < 0)
		return name.failed ? error_no_memory(err) : 0;
	if (strcasecmp(buffer_str(&name), "format") != 0)
		return 0;
	if (equals && percent_decode(&value, equals + 1, n - name_len - 1, true) < 0)
		return value.failed
			   ? error_no_memory(err)
			   : error_set(err, ERROR_BAD_REQUEST,
				       "format in the query string has a %% that is not followed "
				       "by two hex digits");
	return set_format(list, &value, err);
}

static int read_request(struct list_request *list, const struct request *request, struct error *err)
{
	const char *at = request->query_string;

	if (query_add_form(&list->query, at, strlen(at), "query string", err) < 0)
		return -1;
	while (*at) {
		size_t n = strcspn(at, "&");

		if (read_pair(list, at, n, err) < 0)
			return -1;
		at += n + (at[n] == '&');
	}
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int read_processes(struct list_request *list, const struct exchange *exchange,
			  struct error *err)
{
	struct app *app = exchange->app;

	/* without processes, too: what is wrong with GOCOVERDIR is told whatever the settings
	 * are */
	if (coverage_dirs_open(&list->dirs, list->dir, err) < 0)
		return -1;
	if (app->settings.live == LIVE_SETTING_OFF)
		return 0;
	list->live_was_read = true;
	list->looked_ns = endings_now_ns();
	return live_snapshot(app->live_cache, &list->dirs.paths, &list->query.service, NULL,
			     &exchange->deadline, &list->live, err);
}

static int find_endings(const struct list_request *list, const struct exchange *exchange,
			const struct coverage_set *set, struct endings *endings, struct error *err)
{
	const struct endings_view view = {.dirs = &list->dirs,
					  .set = set,
					  .live = &list->live,
					  .services = &list->query.service,
					  .cache = exchange->app->live_cache,
					  .looked_ns = list->looked_ns,
					  .seen = exchange->app->seen,
					  .deadline = &exchange->deadline};

	return list->live_was_read ? endings_find(endings, &view, err) : 0;
}

/* The short list has not looked at what has ended. */
static void tell_live(const struct list_request *list, const struct exchange *exchange,
		      const struct endings *endings)
{
	cleanup_buffer struct buffer ends = BUFFER_INIT;

	if (!list->live_was_read)
		return;
	if (endings)
		buffer_printf(&ends, " ended=%zu lost=%zu", endings->ended, endings->lost);
	response_header(exchange->response, "Goverage-Live",
			"read=%zu denied=%zu gone=%zu unsupported=%zu%s", list->live.read,
			list->live.denied, list->live.gone, list->live.unsupported,
			buffer_str(&ends));
}

/* The directories are listed after the processes were read: what ends in between is not lost. */
static int write_detail(struct list_request *list, const struct exchange *exchange,
			struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_ended_list struct ended_list ended = ENDED_LIST_INIT;
	cleanup_endings struct endings endings = ENDINGS_INIT;

	if (coverage_set_list_dirs(&set, &list->dirs, &exchange->deadline, err) < 0 ||
	    coverage_set_screen(&set, &exchange->deadline, err) < 0 ||
	    service_filter_apply(&set, &list->live, &list->query.service, NULL, &exchange->deadline,
				 err) < 0 ||
	    find_endings(list, exchange, &set, &endings, err) < 0 ||
	    ended_list_read(&ended, &set, &list->live, &endings, &exchange->deadline, err) < 0)
		return -1;
	list_detail_write(&exchange->response->text, list->host.nodename, &list->live, &ended);
	tell_live(list, exchange, &endings);
	response_header(exchange->response, "Goverage-Skipped", "%zu", set.skipped);
	return 0;
}

static int write_list(struct list_request *list, const struct exchange *exchange, struct error *err)
{
	if (list->detail)
		return write_detail(list, exchange, err);
	tell_live(list, exchange, NULL);
	return list_short_write(&exchange->response->text, list->host.nodename, &list->live, err);
}

int list_handle(struct exchange *exchange, struct error *err)
{
	cleanup_with(list_request_free) struct list_request list = {0};
	struct response *response = exchange->response;

	/* a bad parameter is told before anything is read */
	if (read_request(&list, exchange->request, err) < 0)
		return -1;
	list.dir = coverage_directory(exchange, err);
	if (!list.dir || read_processes(&list, exchange, err) < 0)
		return -1;
	uname(&list.host);
	if (write_list(&list, exchange, err) < 0)
		return -1;
	response->status = 200;
	response->content_type = "application/json; charset=utf-8";
	return 0;
}
