#include "cgi/engine.h"

#include "cgi/base/log.h"

int engine_tally(struct tally *tally, struct app *app, struct collection *collection,
		 bool strict_modes, const struct deadline *deadline, struct error *err)
{
	const struct reader_request request = {
	    .set = &collection->set,
	    .live_dir_fd = collection->live_fd,
	    .strict_modes = strict_modes,
	    .deadline = deadline,
	};

	/* the reader would say it, too, but without names */
	if (strict_modes && (coverage_set_screen(&collection->set, deadline, err) < 0 ||
			     coverage_set_check_modes(&collection->set, err) < 0))
		return -1;
	tally->profile = reader_load(app->reader, &request, &tally->report, err);
	if (tally->profile)
		return 0;
	if (!tally->report.newer_format || app->settings.engine == ENGINE_SETTING_BUILTIN)
		return -1;
	log_line("covdata is asked: %s", err->message);
	return 0;
}

static int by_covdata(struct engine_text *text, struct app *app, struct collection *collection,
		      const struct tally *tally, const struct deadline *deadline, struct error *err)
{
	const char *live = collection->live_fd >= 0 ? COLLECT_LIVE_NAME : NULL;
	struct covdata *covdata = app_covdata(app, err);

	if (!covdata)
		return -1;
	/* covdata answers nothing at all when one file in a thousand is bad; the reader has looked
	 * deeper into them than the screening does */
	if (tally->report.damaged)
		coverage_set_take_out(&collection->set, tally->report.damaged);
	if (coverage_set_screen(&collection->set, deadline, err) < 0 ||
	    coverage_set_check_modes(&collection->set, err) < 0)
		return -1;
	if (!collection->staging.path && staging_open(&collection->staging, err) < 0)
		return -1;
	text->engine = "covdata";
	text->fd =
	    covdata_textfmt(covdata, &collection->set, &collection->staging, live, deadline, err);
	/* what vanished or could not be read any more since the reader saw it, or the other way
	 * round */
	text->of_another_state =
	    tally->profile &&
	    (collection->set.vanished > 0 || collection->set.skipped != tally->report.n_skipped);
	return text->fd < 0 ? -1 : 0;
}

static int by_reader(struct engine_text *text, const struct tally *tally,
		     const struct deadline *deadline, struct error *err)
{
	uint64_t size;

	text->engine = "builtin";
	text->fd = reader_textfmt(tally->profile, &size, deadline, err);
	return text->fd < 0 ? -1 : 0;
}

/* Is it a failure of covdata, or of finding it, that the reader can make good? */
static bool is_replaceable(const struct error *err)
{
	return err->class == ERROR_INTERNAL || err->class == ERROR_CONFLICT;
}

static int automatic(struct engine_text *text, struct app *app, struct collection *collection,
		     const struct tally *tally, const struct deadline *deadline, struct error *err)
{
	if (!tally->profile)
		return by_covdata(text, app, collection, tally, deadline, err);
	if (tally->report.mixed_modes)
		return by_reader(text, tally, deadline, err);
	if (by_covdata(text, app, collection, tally, deadline, err) == 0) {
		if (!text->of_another_state)
			return 0;
		error_set(err, ERROR_INTERNAL, "it could not read the same coverage files");
		close(steal_fd(&text->fd));
	}
	if (!is_replaceable(err))
		return -1;
	log_line("answering without covdata: %s", err->message);
	collection->set.skipped = tally->report.n_skipped;
	text->of_another_state = false;
	return by_reader(text, tally, deadline, err);
}

int engine_textfmt(struct engine_text *text, struct app *app, struct collection *collection,
		   const struct tally *tally, const struct deadline *deadline, struct error *err)
{
	switch (app->settings.engine) {
	case ENGINE_SETTING_COVDATA:
		return by_covdata(text, app, collection, tally, deadline, err);
	case ENGINE_SETTING_BUILTIN:
		return by_reader(text, tally, deadline, err);
	}
	return automatic(text, app, collection, tally, deadline, err);
}

void tally_free(struct tally *tally)
{
	covprofile_release(tally->profile);
	reader_report_free(&tally->report);
	*tally = TALLY_INIT;
}
