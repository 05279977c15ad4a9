#include "cgi/app.h"

#include "cgi/pattern/path_filter.h"
#include "cgi/coverage/staging.h"
#include "cgi/sandbox/confine.h"

int app_init(struct app *app, enum app_life life, struct error *err)
{
	size_t budget;

	*app = (struct app){.cancel_fd = -1};
	if (pthread_mutex_init(&app->lock, NULL) != 0)
		return error_no_memory(err);
	if (settings_read(&app->settings, err) < 0 || path_filter_start(err) < 0) {
		app_free(app);
		return -1;
	}
	/* a quarter for texts, a sixteenth for names of files, the rest for what is in these */
	budget = life == APP_FOR_MANY ? (size_t)app->settings.cache_bytes : 0;
	app->texts = text_cache_new(budget / 4);
	app->listings = listing_cache_new(budget / 16);
	app->reader = reader_new(budget - budget / 4 - budget / 16, err);
	app->baselines = baseline_cache_new(budget > 0);
	app->live_cache = live_cache_new();
	if (!app->texts || !app->listings || !app->reader || !app->baselines || !app->live_cache) {
		app_free(app);
		return error_no_memory(err);
	}
	staging_sweep();
	return 0;
}

struct covdata *app_covdata(struct app *app, struct error *err)
{
	struct covdata *covdata;

	pthread_mutex_lock(&app->lock);
	if (!app->covdata)
		app->covdata = covdata_find(&app->settings, err);
	covdata = app->covdata;
	pthread_mutex_unlock(&app->lock);
	return covdata;
}

int app_confine(struct app *app, const char *socket_path, struct buffer *said, struct error *err)
{
	struct confine_needs needs = {.socket_path = socket_path};
	struct covdata *covdata = NULL;

	if (app->settings.engine != ENGINE_SETTING_BUILTIN)
		covdata = app_covdata(app, NULL);
	needs.finds_covdata = covdata && !covdata_needs_go(covdata);
	return confine(&app->settings, &needs, said, err);
}

void app_free(struct app *app)
{
	covdata_free(app->covdata);
	live_cache_free(app->live_cache);
	baseline_cache_free(app->baselines);
	reader_free(app->reader);
	text_cache_free(app->texts);
	listing_cache_free(app->listings);
	pthread_mutex_destroy(&app->lock);
}
