#include "cgi/profile/engine.h"

#include "cgi/base/log.h"
#include "cgi/covdata/covdata_once.h"
#include "cgi/directory/staging.h"
#include "cgi/text/text_cache.h"

/*
 * Choose what covdata is to be given: it answers nothing at all when one file in a thousand is bad.
 * The reader has looked deeper into the files than the screening does, which is left with those of
 * which the reader tells nothing, and with the meta-data.  Once for a collection.
 */
static int choose(struct collection *collection, const struct tally *tally,
		  const struct deadline *deadline, struct error *err)
{
	if (coverage_set_own(&collection->set, err) < 0)
		return -1;
	if (tally->report.findings || tally->report.all_good)
		coverage_set_believe(&collection->set, tally->report.findings);
	if (coverage_set_screen(&collection->set, deadline, err) < 0)
		return -1;
	return coverage_set_check_modes(&collection->set, err);
}

/* The reader has found a conflict in *err; the screening can say which programs are in it. */
static int name_conflict(struct collection *collection, const struct tally *tally,
			 const struct deadline *deadline, struct error *err)
{
	struct error named;

	if (choose(collection, tally, deadline, &named) < 0)
		*err = named;
	return -1;
}

int engine_tally(struct tally *tally, struct app *app, struct collection *collection,
		 bool strict_modes, const struct deadline *deadline, struct error *err)
{
	const struct reader_request request = {
	    .set = &collection->set,
	    .dir_fds = collection->dirs.fds,
	    .live = &collection->live_files,
	    .strict_modes = strict_modes,
	    .deadline = deadline,
	};

	tally->profile = reader_load(app->reader, &request, &tally->report, err);
	if (tally->profile)
		return 0;
	if (strict_modes && err->class == ERROR_CONFLICT)
		return name_conflict(collection, tally, deadline, err);
	if (!tally->report.newer_format || app->settings.engine == ENGINE_SETTING_BUILTIN)
		return -1;
	log_line("covdata is asked: %s", err->message);
	return 0;
}

/* The staging subdirectory that holds the snapshots. */
#define LIVE_NAME "live"

/* What covdata is to find on disk beside the set: the name of a subdirectory, or NULL. */
static int stage_live(const struct staging *staging, const struct memory_files *files,
		      const char **live, struct error *err)
{
	cleanup_fd int fd = -1;

	*live = NULL;
	if (!files->n)
		return 0;
	fd = staging_subdir(staging, LIVE_NAME, err);
	if (fd < 0)
		return -1;
	*live = LIVE_NAME;
	return memory_files_store(files, fd, err);
}

static int by_covdata(struct engine_text *text, struct app *app, struct collection *collection,
		      const struct tally *tally, const struct deadline *deadline, struct error *err)
{
	cleanup_staging struct staging staging = STAGING_INIT;
	struct covdata *covdata = covdata_once_get(app->covdata, err);
	const char *live;
	cleanup_fd int fd = -1;

	if (!covdata)
		return -1;
	if (choose(collection, tally, deadline, err) < 0)
		return -1;
	if (staging_open(&staging, err) < 0 ||
	    stage_live(&staging, &collection->live_files, &live, err) < 0)
		return -1;
	fd = covdata_textfmt(covdata, &collection->set, &staging, live, deadline, err);
	if (fd < 0)
		return -1;
	text->engine = "covdata";
	text->text = profile_text_of_file(fd, err);
	if (!text->text)
		return -1;
	/* what vanished or could not be read any more since the reader saw it, or the other way
	 * round; or the same files give other bytes the next time */
	text->unrepeatable =
	    tally->profile &&
	    (collection->set.vanished > 0 || collection->set.skipped != tally->report.n_skipped ||
	     profile_text_has_twins(text->text));
	return 0;
}

int engine_write(struct engine_text *text, struct app *app, struct covprofile *profile,
		 struct path_filter *filter, const struct deadline *deadline, struct error *err)
{
	bool kept = text_cache_keeps(app->texts);

	text->engine = "builtin";
	text->writer = textfmt_writer_new(profile, kept ? NULL : filter, deadline, err);
	if (!text->writer)
		return -1;
	if (!kept)
		return 0;
	text->packages = profile->derived;
	text->text = textfmt_writer_text(
	    text->writer, text_cache_retire(app->texts, text->name, text->packages), err);
	textfmt_writer_free(steal_ptr(text->writer));
	return text->text ? 0 : -1;
}

/* Is it a failure of covdata, or of finding it, that the reader can make good? */
static bool is_replaceable(const struct error *err)
{
	return err->class == ERROR_INTERNAL || err->class == ERROR_CONFLICT;
}

static int automatic(struct engine_text *text, struct app *app, struct collection *collection,
		     const struct tally *tally, struct path_filter *filter,
		     const struct deadline *deadline, struct error *err)
{
	if (!tally->profile)
		return by_covdata(text, app, collection, tally, deadline, err);
	if (tally->report.mixed_modes)
		return engine_write(text, app, tally->profile, filter, deadline, err);
	if (by_covdata(text, app, collection, tally, deadline, err) == 0) {
		if (!text->unrepeatable)
			return 0;
		error_set(err, ERROR_INTERNAL,
			  "it could not read the same coverage files, or has no order for blocks "
			  "of one place");
		engine_text_drop(text);
	}
	if (!is_replaceable(err))
		return -1;
	log_line("answering without covdata: %s", err->message);
	collection->set.skipped = tally->report.n_skipped;
	return engine_write(text, app, tally->profile, filter, deadline, err);
}

int engine_textfmt(struct engine_text *text, struct app *app, struct collection *collection,
		   const struct tally *tally, struct path_filter *filter,
		   const struct deadline *deadline, struct error *err)
{
	switch (app->settings.engine) {
	case ENGINE_SETTING_COVDATA:
		return by_covdata(text, app, collection, tally, deadline, err);
	case ENGINE_SETTING_BUILTIN:
		return engine_write(text, app, tally->profile, filter, deadline, err);
	}
	return automatic(text, app, collection, tally, filter, deadline, err);
}

void engine_text_drop(struct engine_text *text)
{
	profile_text_release(steal_ptr(text->text));
	textfmt_writer_free(steal_ptr(text->writer));
	text->unrepeatable = false;
}

void tally_free(struct tally *tally)
{
	covprofile_release(tally->profile);
	reader_report_free(&tally->report);
	*tally = TALLY_INIT;
}
