/* What the operator sets, by the environment of the process: read once at start, checked then. */
#ifndef GOVERAGE_BASE_SETTINGS_H
#define GOVERAGE_BASE_SETTINGS_H

#include <stddef.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"

/* Whether running processes are read; REQUIRED: one that can't be read is an error. */
enum live_setting { LIVE_SETTING_AUTO, LIVE_SETTING_OFF, LIVE_SETTING_REQUIRED };

/* What makes the text: covdata where it is found, else the built-in reader; or one of them
 * alone. */
enum engine_setting { ENGINE_SETTING_AUTO, ENGINE_SETTING_COVDATA, ENGINE_SETTING_BUILTIN };

/* Whether /v1/cover/clear is answered. */
enum clear_setting { CLEAR_SETTING_ON, CLEAR_SETTING_OFF };

/* Whether this process gives up what it doesn't need; ON: it doesn't start where it can't. */
enum sandbox_setting { SANDBOX_SETTING_AUTO, SANDBOX_SETTING_ON, SANDBOX_SETTING_OFF };

/* Whether the web server is given the names of files to send. */

struct settings {
	const char *gocoverdir; /* GOCOVERDIR; NULL where the process has none (or an empty one) */
	const char *covdata;	/* GOVERAGE_COVDATA; NULL = look for it */
	const char *state;	/* GOVERAGE_STATE; NULL = beside GOCOVERDIR */
	int clear;		/* GOVERAGE_CLEAR: enum clear_setting */
	int engine;		/* GOVERAGE_ENGINE: enum engine_setting */
	int live;		/* GOVERAGE_LIVE: enum live_setting */
	int sandbox;		/* GOVERAGE_SANDBOX: enum sandbox_setting */
	long timeout_s;		/* GOVERAGE_TIMEOUT, seconds for one answer */
	long max_body;		/* GOVERAGE_MAX_BODY, bytes */
	long cache_bytes;	/* GOVERAGE_CACHE: what is kept between requests; 0 = nothing */
	long connections;	/* GOVERAGE_CONNECTIONS, held at once */
	long workers;		/* GOVERAGE_WORKERS, requests at once; 0 = by the number of CPUs */
};

/*
 * Read the settings from the environment of this process.  The strings belong to the environment.
 * -1 with a sentence that names the variable, its value and what is allowed.
 */
must_check int settings_read(struct settings *settings, struct error *err);

/* One line for each variable: name, default, meaning; for --help. */
void settings_describe(struct buffer *out);

#endif
