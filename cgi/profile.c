#include "cgi/profile.h"

#include <string.h>
#include <sys/stat.h>

#include "cgi/baseline/baseline.h"
#include "cgi/baseline/baseline_store.h"
#include "cgi/collect.h"
#include "cgi/engine.h"
#include "cgi/gocoverdir.h"
#include "cgi/query.h"
#include "cgi/request_query.h"
#include "cgi/validator.h"

static int no_data(const char *dir, struct error *err)
{
	return error_set(
	    err, ERROR_UNAVAILABLE,
	    "no coverage data in %.512s: no covered process has started or ended with this "
	    "GOCOVERDIR yet",
	    dir);
}

/* The state that the request wants to compare with; NULL with ERROR_STATE_GONE when it is not
 * there. */
static struct covprofile *earlier_state(struct exchange *exchange, const struct string_item *since,
					struct error *err)
{
	char digest[VALIDATOR_DIGEST + 1];
	struct covprofile *profile;

	if (validator_parse(since->text, digest) < 0) {
		error_set(err, ERROR_BAD_REQUEST,
			  "since must be the ETag of an earlier answer, not \"%.64s\"",
			  since->text);
		return NULL;
	}
	profile = reader_recall(exchange->app->reader, digest);
	if (!profile)
		error_set(
		    err, ERROR_STATE_GONE,
		    "the state %s is not held any more: take a profile without since, and go on "
		    "from its ETag",
		    digest);
	return profile;
}

/* The text of what is there beyond an earlier state; NULL = beyond nothing. */
static int text_beyond(struct exchange *exchange, const struct tally *tally,
		       const struct covprofile *before, struct engine_text *text, struct error *err)
{
	cleanup_covprofile struct covprofile *between = NULL;
	uint64_t size;

	if (!tally->profile)
		return error_set(
		    err, ERROR_INTERNAL,
		    "since, and a baseline, need the built-in reader, which does not know the "
		    "format of these coverage files: total=true asks for the cumulative numbers");
	between =
	    before ? reader_subtract(tally->profile, before, err) : covprofile_use(tally->profile);
	if (!between)
		return -1;
	text->engine = "builtin";
	text->fd = reader_textfmt(between, &size, &exchange->deadline, err);
	return text->fd < 0 ? -1 : 0;
}

/* The text of what ran since an earlier answer. */
static int text_since(struct exchange *exchange, const struct tally *tally,
		      const struct string_item *since, struct engine_text *text, struct error *err)
{
	cleanup_covprofile struct covprofile *before = earlier_state(exchange, since, err);

	return before ? text_beyond(exchange, tally, before, text, err) : -1;
}

/* The text of everything: as it was kept, or made anew. */
static int text_of_all(struct exchange *exchange, struct collection *collection,
		       const struct tally *tally, struct engine_text *text, struct error *err)
{
	struct app *app = exchange->app;
	struct stat st;

	if (tally->profile) {
		text->fd = text_cache_find(app->texts, tally->report.digest, &text->engine);
		if (text->fd >= 0)
			return 0;
	}
	if (engine_textfmt(text, app, collection, tally, &exchange->deadline, err) < 0)
		return -1;
	if (text->of_another_state)
		exchange->response->etag[0] = '\0';
	else if (tally->profile && fstat(text->fd, &st) == 0)
		text_cache_keep(app->texts, tally->report.digest, text->fd, (uint64_t)st.st_size,
				text->engine);
	return 0;
}

static void warn(struct response *response, const struct reader_report *report)
{
	if (report->mixed_modes)
		response_header(response, "Goverage-Warning",
				"programs with different counter modes: 1 is covered, 0 is not");
	if (report->several_builds)
		response_header(response, "Goverage-Warning",
				"blocks of different builds stand side by side in %u packages",
				report->several_builds);
}

static void describe(struct response *response, const struct collection *collection,
		     const struct tally *tally, const struct baseline *baseline)
{
	const struct live_report *live = &collection->live;
	char time[BASELINE_TIME_SIZE];

	/* both engines have looked: what the one has left out the other has, or more */
	response_header(response, "Goverage-Skipped", "%zu",
			collection->set.skipped > tally->report.n_skipped
			    ? collection->set.skipped
			    : tally->report.n_skipped);
	if (collection->live_fd >= 0)
		response_header(response, "Goverage-Live",
				"read=%zu denied=%zu gone=%zu unsupported=%zu", live->read,
				live->denied, live->gone, live->unsupported);
	if (baseline->set_ns) {
		baseline_time(time, baseline->set_ns);
		response_header(response, "Goverage-Baseline", "%s", time);
	}
	warn(response, &tally->report);
}

/* Name the state for later requests.  True when the client has this very answer already. */
static bool validate(struct exchange *exchange, const struct query *query,
		     const struct tally *tally, const struct baseline *baseline)
{
	char *etag = exchange->response->etag;

	if (!tally->profile)
		return false;
	validator_format(etag, tally->report.digest,
			 baseline_fingerprint(baseline, validator_fingerprint(query)));
	reader_remember(exchange->app->reader, tally->profile, tally->report.digest);
	return validator_matches(exchange->request->if_none_match, etag);
}

static int choose_text(struct exchange *exchange, struct collection *collection,
		       const struct tally *tally, const struct query *query,
		       const struct baseline *baseline, struct engine_text *text, struct error *err)
{
	if (query->since.n)
		return text_since(exchange, tally, &query->since.items[0], text, err);
	if (baseline->set_ns)
		return text_beyond(exchange, tally, baseline->profile, text, err);
	return text_of_all(exchange, collection, tally, text, err);
}

static int answer_text(struct exchange *exchange, struct collection *collection,
		       const struct tally *tally, const struct query *query,
		       const struct baseline *baseline, struct path_filter *filter,
		       struct error *err)
{
	cleanup_engine_text struct engine_text text = ENGINE_TEXT_INIT;
	struct response *response = exchange->response;
	int rc = choose_text(exchange, collection, tally, query, baseline, &text, err);

	if (rc < 0 || textfmt_map(&response->profile, text.fd, err) < 0 ||
	    textfmt_filter(&response->profile, filter, err) < 0)
		return -1;
	if (!response->profile.text)
		return error_set(err, ERROR_UNAVAILABLE,
				 "the coverage files vanished while they were read: try again");
	response->status = 200;
	response->content_type = "text/plain; charset=utf-8";
	response_header(response, "Goverage-Engine", "%s", text.engine);
	return 0;
}

/* An earlier state that is asked for, and the whole, have nothing to do with the baseline. */
static int read_baseline(struct baseline *baseline, struct exchange *exchange,
			 const struct collection *collection, const struct query *query,
			 struct error *err)
{
	struct app *app = exchange->app;

	if (query->since.n || query->total)
		return 0;
	return baseline_read(baseline, app->baselines, app->reader, &app->settings,
			     &collection->set.dirs, &query->service, &exchange->deadline, err);
}

static int answer_query(struct exchange *exchange, const struct query *query,
			struct path_filter *filter, struct error *err)
{
	cleanup_collection struct collection collection = COLLECTION_INIT;
	cleanup_tally struct tally tally = TALLY_INIT;
	cleanup_baseline struct baseline baseline = BASELINE_INIT;
	const char *dir = coverage_directory(exchange, err);

	if (!dir ||
	    collect(&collection, exchange->app, dir, &query->service, &exchange->deadline, err) < 0)
		return -1;
	if (collection_is_empty(&collection))
		return no_data(dir, err);
	if (engine_tally(&tally, exchange->app, &collection, query->mode.n > 0, &exchange->deadline,
			 err) < 0 ||
	    read_baseline(&baseline, exchange, &collection, query, err) < 0)
		return -1;
	if (validate(exchange, query, &tally, &baseline))
		exchange->response->status = 304;
	else if (answer_text(exchange, &collection, &tally, query, &baseline, filter, err) < 0)
		return -1;
	describe(exchange->response, &collection, &tally, &baseline);
	return 0;
}

static int check_mode(const struct query *query, struct error *err)
{
	if (query->mode.n == 0 || strcmp(query->mode.items[0].text, "strict") == 0)
		return 0;
	return error_set(err, ERROR_BAD_REQUEST, "mode must be strict, not \"%.64s\"",
			 query->mode.items[0].text);
}

int profile_handle(struct exchange *exchange, struct error *err)
{
	cleanup_query struct query query = QUERY_INIT;
	cleanup_path_filter struct path_filter *filter = NULL;

	/* a bad pattern is told before anything is run */
	if (request_query(&query, exchange->request, err) < 0 || check_mode(&query, err) < 0)
		return -1;
	filter = path_filter_new(&query.cover_file, &query.skip_file, err);
	if (!filter)
		return -1;
	return answer_query(exchange, &query, filter, err);
}
