/* The app from the start of the process to its end. */
#ifndef GOVERAGE_APP_LIFE_H
#define GOVERAGE_APP_LIFE_H

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/exchange/app.h"

enum app_life {
	APP_FOR_ONE_ANSWER, /* CGI: whatever it kept would die with it */
	APP_FOR_MANY,
};

/*
 * Read the settings and prepare what the threads will share.  Kept between requests is what
 * GOVERAGE_CACHE allows, or nothing where there is but one.  -1 with the reason.
 */
must_check int app_init(struct app *app, enum app_life life, struct error *err);

/*
 * Give up what this process won't need: see confine().  To be called once everything is open, and
 * before there are threads.  socket_path is of the socket that is removed at the end, or NULL.
 */
must_check int app_confine(struct app *app, const char *socket_path, struct buffer *said,
			   struct error *err);

void app_free(struct app *app);

#endif
