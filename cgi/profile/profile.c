#include "cgi/profile/profile.h"

#include <stdio.h>
#include <string.h>

#include "cgi/baseline/baseline.h"
#include "cgi/baseline/baseline_store.h"
#include "cgi/collect/collect.h"
#include "cgi/exchange/gocoverdir.h"
#include "cgi/exchange/query.h"
#include "cgi/exchange/request_query.h"
#include "cgi/profile/engine.h"
#include "cgi/profile/report_query.h"
#include "cgi/profile/validator.h"
#include "cgi/report/report.h"
#include "cgi/text/text_cache.h"

enum { TEXT_NAME_SIZE = TEXT_CACHE_NAME_MAX + 1 };

/* What is known of one request, in the order in which it is found out. */
struct answering {
	struct exchange *exchange;
	struct query query;
	struct selection selection;
	uint64_t fingerprint, files_fingerprint; /* of the query as it came */
	struct report_options report;		 /* how to write it */
	enum report_kind kind; /* in which format; this and the next outlive the options */
	bool download, gated;
	struct path_filter *filter;
	struct collection collection;
	struct tally tally;
	struct endings endings;
	struct baseline baseline;
};

static void answering_free(struct answering *a)
{
	baseline_free(&a->baseline);
	endings_free(&a->endings);
	tally_free(&a->tally);
	collection_free(&a->collection);
	selection_free(&a->selection);
	path_filter_free(a->filter);
	report_options_free(&a->report);
	query_free(&a->query);
}

#define cleanup_answering cleanup_with(answering_free)

static int no_data(const char *dir, struct error *err)
{
	return error_set(
	    err, ERROR_UNAVAILABLE,
	    "no coverage data in %.512s: no covered process has started or ended with this "
	    "GOCOVERDIR yet",
	    dir);
}

/* The state that the request wants to compare with; NULL with ERROR_STATE_GONE when it is not
 * there, or without memory. */
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
	if (reader_recall(exchange->app->reader, digest, &profile, err) == 0 && !profile)
		error_set(
		    err, ERROR_STATE_GONE,
		    "the state %s is not held any more: take a profile without since, and go on "
		    "from its ETag",
		    digest);
	return profile;
}

/* --- the text -------------------------------------------------------------------------------- */

/* What is there beyond an earlier state; NULL = beyond nothing.  The caller becomes a user of
 * it. */
static struct covprofile *profile_beyond(const struct answering *a, const struct covprofile *before,
					 struct error *err)
{
	if (a->tally.profile)
		return before ? reader_subtract(a->tally.profile, before, err)
			      : covprofile_use(a->tally.profile);
	error_set(
	    err, ERROR_INTERNAL,
	    "only the built-in reader can subtract and make reports, and it does not know the "
	    "format of these coverage files: ask for the cumulative numbers (total=true) as "
	    "text");
	return NULL;
}

/* What the request asks for: since an earlier answer, or since the baseline, if there is one. */
static struct covprofile *asked_profile(const struct answering *a, struct error *err)
{
	cleanup_covprofile struct covprofile *before = NULL;

	if (!a->query.since.n)
		return profile_beyond(a, a->baseline.set_ns ? a->baseline.profile : NULL, err);
	before = earlier_state(a->exchange, &a->query.since.items[0], err);
	return before ? profile_beyond(a, before, err) : NULL;
}

static int write_text(struct answering *a, struct engine_text *text, struct error *err)
{
	cleanup_covprofile struct covprofile *profile = asked_profile(a, err);
	struct exchange *exchange = a->exchange;

	if (!profile)
		return -1;
	return engine_write(text, exchange->app, profile, a->filter, &exchange->deadline, err);
}

static int make_text(struct answering *a, struct engine_text *text, struct error *err)
{
	struct exchange *exchange = a->exchange;

	if (a->query.since.n || a->baseline.set_ns)
		return write_text(a, text, err);
	if (engine_textfmt(text, exchange->app, &a->collection, &a->tally, a->filter,
			   &exchange->deadline, err) < 0)
		return -1;
	if (text->unrepeatable)
		exchange->response->etag[0] = '\0';
	return 0;
}

/* Under which the text is kept: what tells it from all others, the patterns aside.  "" = it is
 * not. */
static void name_text(const struct answering *a, char name[TEXT_NAME_SIZE])
{
	*name = '\0';
	if (a->tally.profile && !a->query.since.n)
		snprintf(name, TEXT_NAME_SIZE, "%s-%016llx", a->tally.report.digest,
			 (unsigned long long)baseline_fingerprint(&a->baseline, 0));
}

/* The text as it was kept under the name, or made anew. */
static int find_text(struct answering *a, const char *name, struct engine_text *text,
		     struct error *err)
{
	struct text_cache *cache = a->exchange->app->texts;

	text->name = name;
	text->text = text_cache_find(cache, name, &text->engine);
	if (text->text)
		return 0;
	if (make_text(a, text, err) < 0)
		return -1;
	if (*name && text->text && !text->unrepeatable)
		text_cache_keep(cache, name, text->text, text->engine, text->packages);
	return 0;
}

static int answer_text(struct answering *a, struct error *err)
{
	cleanup_engine_text struct engine_text text = ENGINE_TEXT_INIT;
	struct response *response = a->exchange->response;
	char name[TEXT_NAME_SIZE];

	name_text(a, name);
	if (find_text(a, name, &text, err) < 0)
		return -1;
	if (text.text) {
		if (!text.text->len)
			return error_set(err, ERROR_UNAVAILABLE,
					 "the coverage files vanished while they were read: try "
					 "again");
		if (textfmt_take(&response->profile, text.text, err) < 0 ||
		    textfmt_filter(&response->profile, a->filter, err) < 0)
			return -1;
	}
	response->writer = steal_ptr(text.writer);
	response->status = 200;
	response->content_type = report_kind_type(REPORT_TEXT);
	response_header(response, "Goverage-Engine", "%s", text.engine);
	return 0;
}

/* --- reports --------------------------------------------------------------------------------- */

static int answer_report(struct answering *a, struct error *err)
{
	cleanup_covprofile struct covprofile *profile = asked_profile(a, err);
	struct exchange *exchange = a->exchange;
	struct response *response = exchange->response;

	if (!profile)
		return -1;
	response->report = report_new(profile, &a->report, a->filter, &exchange->deadline, err);
	if (!response->report)
		return -1;
	response->status = 200;
	response->content_type = report_kind_type(a->kind);
	response_header(response, "Goverage-Engine", "builtin");
	return report_check(response->report, err);
}

/* What binds counters to the blocks that they belong to, in the two formats for it. */
static int name_structure(struct answering *a, struct error *err)
{
	char digest[REPORT_DIGEST];

	if (!a->tally.profile || (a->kind != REPORT_STRUCTURE && a->kind != REPORT_COUNTERS))
		return 0;
	if (report_structure(a->tally.profile, digest, err) < 0)
		return -1;
	snprintf(a->report.structure_id, sizeof a->report.structure_id, "%s-%016llx", digest,
		 (unsigned long long)a->files_fingerprint);
	return 0;
}

/* --- the headers ----------------------------------------------------------------------------- */

static void warn(struct response *response, const struct reader_report *report,
		 const struct baseline *baseline, const struct endings *endings)
{
	cleanup_buffer struct buffer lost = BUFFER_INIT;

	endings_describe(endings, &lost);
	if (lost.len)
		response_header(response, "Goverage-Warning", "%s", buffer_str(&lost));
	if (baseline->passed_over)
		response_warn(response, "there is no baseline: ", baseline->passed_over);
	if (report->mixed_modes)
		response_header(response, "Goverage-Warning",
				"programs with different counter modes: 1 is covered, 0 is not");
	if (report->several_builds)
		response_header(response, "Goverage-Warning",
				"blocks of different builds stand side by side in %u packages",
				report->several_builds);
}

/* Counters that are set can't be set again. */
static void warn_set(const struct answering *a)
{
	if ((a->query.since.n || a->baseline.set_ns) && a->tally.profile &&
	    covprofile_is_set(a->tally.profile))
		response_header(
		    a->exchange->response, "Goverage-Warning",
		    "in counter mode set only blocks that had not run before can be told: "
		    "build with -covermode=atomic to see what runs again");
}

static void describe(const struct answering *a)
{
	const struct collection *collection = &a->collection;
	const struct reader_report *report = &a->tally.report;
	const struct live_report *live = &collection->live;
	struct response *response = a->exchange->response;
	char time[BASELINE_TIME_SIZE];

	if (a->download)
		response_header(response, "Content-Disposition", "attachment; filename=\"%s\"",
				report_kind_file(a->kind));

	/* both engines have looked: what the one has left out the other has, or more */
	response_header(response, "Goverage-Skipped", "%zu",
			collection->set.skipped > report->n_skipped ? collection->set.skipped
								    : report->n_skipped);
	if (collection->live_was_read)
		response_header(response, "Goverage-Live",
				"read=%zu denied=%zu gone=%zu unsupported=%zu ended=%zu lost=%zu",
				live->read, live->denied, live->gone, live->unsupported,
				a->endings.ended, a->endings.lost);
	if (a->baseline.set_ns) {
		baseline_time(time, a->baseline.set_ns);
		response_header(response, "Goverage-Baseline", "%s", time);
	}
	selection_warn(&a->selection, response);
	warn_set(a);
	warn(response, report, &a->baseline, &a->endings);
}

/* What is newly missing is news, though the profile is the same. */
static uint64_t fingerprint(const struct answering *a)
{
	const struct live_report *live = &a->collection.live;
	uint64_t missing = (live->denied + live->unsupported) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t asked = baseline_fingerprint(&a->baseline, a->fingerprint);

	return endings_fingerprint(&a->endings, asked ^ missing);
}

/* Name the state for later requests.  True when the client has this very answer already. */
static bool validate(struct answering *a)
{
	struct exchange *exchange = a->exchange;
	char *etag = exchange->response->etag;

	if (!a->tally.profile)
		return false;
	if (a->kind == REPORT_STRUCTURE) /* it stays when counters move */
		validator_format(etag, a->report.structure_id, a->fingerprint);
	else
		validator_format(etag, a->tally.report.digest, fingerprint(a));
	reader_remember(exchange->app->reader, a->tally.profile, a->tally.report.digest);
	return validator_matches(exchange->request->if_none_match, etag);
}

/* --- one answer ------------------------------------------------------------------------------ */

/* An earlier state that is asked for, and the whole, have nothing to do with the baseline. */
static int read_baseline(struct answering *a, struct error *err)
{
	struct exchange *exchange = a->exchange;
	struct app *app = exchange->app;

	if (a->query.since.n || a->query.total)
		return 0;
	return baseline_read(&a->baseline, app->baselines, app->reader, &app->settings,
			     &a->collection.set.dirs, &a->selection, &a->collection.live,
			     &exchange->deadline, err);
}

/* Where there is nothing any more, too: then there is nothing to be missed. */
static int find_endings(struct answering *a, struct error *err)
{
	struct exchange *exchange = a->exchange;

	/* processes that were not chosen would be missed */
	if (a->query.address.n || a->query.build.n)
		return 0;
	return collection_endings(&a->collection, exchange->app, &a->query.service,
				  a->tally.report.findings, &exchange->deadline, &a->endings, err);
}

static int answer_query(struct answering *a, struct error *err)
{
	struct exchange *exchange = a->exchange;
	const char *dir = coverage_directory(exchange, err);
	int rc = 0;

	if (!dir || collect(&a->collection, exchange->app, dir, &a->selection, &exchange->deadline,
			    err) < 0)
		return -1;
	if (collection_is_empty(&a->collection))
		return find_endings(a, err) < 0 ? -1 : no_data(dir, err);
	if (engine_tally(&a->tally, exchange->app, &a->collection, a->query.mode.n > 0,
			 &exchange->deadline, err) < 0 ||
	    find_endings(a, err) < 0 || read_baseline(a, err) < 0)
		return -1;
	if (name_structure(a, err) < 0)
		return -1;
	/* who was told before that too little has run is told again */
	if (validate(a) && !a->gated)
		exchange->response->status = 304;
	else if (a->kind != REPORT_TEXT)
		rc = answer_report(a, err);
	else
		rc = answer_text(a, err);
	if (rc == 0 || err->class == ERROR_BELOW)
		describe(a);
	return rc;
}

static int check_mode(const struct query *query, struct error *err)
{
	if (query->mode.n == 0 || strcmp(query->mode.items[0].text, "strict") == 0)
		return 0;
	return error_set(err, ERROR_BAD_REQUEST, "mode must be strict, not \"%.64s\"",
			 query->mode.items[0].text);
}

static int take_options(struct answering *a, struct error *err)
{
	a->fingerprint = validator_fingerprint(&a->query);
	a->files_fingerprint = validator_files_fingerprint(&a->query);
	if (report_query_take(&a->report, &a->query, err) < 0)
		return -1;
	a->kind = a->report.kind;
	a->download = a->report.download;
	a->gated = a->report.fail_under != NO_THRESHOLD;
	return 0;
}

int profile_handle(struct exchange *exchange, struct error *err)
{
	cleanup_answering struct answering a = {
	    .exchange = exchange,
	    .query = QUERY_INIT,
	    .selection = SELECTION_INIT,
	    .report = REPORT_OPTIONS_INIT,
	    .collection = COLLECTION_INIT,
	    .tally = TALLY_INIT,
	    .endings = ENDINGS_INIT,
	    .baseline = BASELINE_INIT,
	};

	/* a bad pattern is told before anything is run */
	if (request_query(&a.query, exchange->request, err) < 0 ||
	    selection_begin(&a.selection, &a.query, err) < 0 || check_mode(&a.query, err) < 0)
		return -1;
	if (take_options(&a, err) < 0)
		return -1;
	a.filter = path_filter_new(&a.query.cover_file, &a.query.skip_file, err);
	if (!a.filter)
		return -1;
	return answer_query(&a, err);
}
