#include "cgi/app.h"

#include "cgi/path_filter.h"
#include "cgi/staging.h"

int app_init(struct app *app, struct error *err)
{
	app->cancel_fd = -1;
	app->covdata = NULL;
	app->live_cache = NULL;
	if (pthread_mutex_init(&app->lock, NULL) != 0)
		return error_no_memory(err);
	if (settings_read(&app->settings, err) < 0 || path_filter_start(err) < 0)
		return -1;
	app->live_cache = live_cache_new();
	if (!app->live_cache)
		return error_no_memory(err);
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

void app_free(struct app *app)
{
	covdata_free(app->covdata);
	live_cache_free(app->live_cache);
	pthread_mutex_destroy(&app->lock);
}
