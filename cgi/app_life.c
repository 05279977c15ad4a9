#include "cgi/app_life.h"

#include "cgi/baseline/baseline.h"
#include "cgi/collect/seen_processes.h"
#include "cgi/confine_places.h"
#include "cgi/covdata/covdata_once.h"
#include "cgi/directory/staging.h"
#include "cgi/live/live.h"
#include "cgi/pattern/path_filter.h"
#include "cgi/sandbox/confine.h"
#include "cgi/state/reader.h"
#include "cgi/text/text_cache.h"

int app_init(struct app *app, enum app_life life, struct error *err)
{
	size_t budget;

	*app = (struct app){.cancel_fd = -1};
	if (settings_read(&app->settings, err) < 0 || path_filter_start(err) < 0) {
		app_free(app);
		return -1;
	}
	/* a quarter for texts, the rest for what they are made of */
	budget = life == APP_FOR_MANY ? (size_t)app->settings.cache_bytes : 0;
	app->texts = text_cache_new(budget / 4);
	app->reader = reader_new(budget - budget / 4, err);
	app->baselines = baseline_cache_new(budget > 0);
	app->live_cache = live_cache_new();
	app->seen = seen_processes_new();
	app->covdata = covdata_once_new(&app->settings);
	if (!app->texts || !app->reader || !app->baselines || !app->live_cache || !app->seen ||
	    !app->covdata) {
		app_free(app);
		return error_no_memory(err);
	}
	staging_sweep();
	return 0;
}

int app_confine(struct app *app, const char *socket_path, struct buffer *said, struct error *err)
{
	cleanup_string_list struct string_list places = STRING_LIST_INIT;
	struct confine_needs needs = {.socket_path = socket_path, .places = &places};
	struct covdata *covdata = NULL;

	if (confine_places(&places, &app->settings) < 0)
		return error_no_memory(err);
	if (app->settings.engine != ENGINE_SETTING_BUILTIN)
		covdata = covdata_once_get(app->covdata, NULL);
	needs.finds_covdata = covdata && !covdata_needs_go(covdata);
	return confine(&app->settings, &needs, said, err);
}

void app_free(struct app *app)
{
	covdata_once_free(app->covdata);
	seen_processes_free(app->seen);
	live_cache_free(app->live_cache);
	baseline_cache_free(app->baselines);
	reader_free(app->reader);
	text_cache_free(app->texts);
}
