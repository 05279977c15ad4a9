/*
 * Go's covdata tool for all threads: looked for at the first use, and again as long as it is not
 * found, so that installing it needs no restart.
 */
#ifndef GOVERAGE_COVDATA_COVDATA_ONCE_H
#define GOVERAGE_COVDATA_COVDATA_ONCE_H

#include "cgi/base/error.h"
#include "cgi/base/settings.h"
#include "cgi/covdata/covdata.h"

struct covdata_once;

/* The settings are the caller's, and live as long.  NULL when memory runs out. */
must_check struct covdata_once *covdata_once_new(const struct settings *settings);

/* The tool, which stays owned.  NULL with the reason: see covdata_find(). */
must_check struct covdata *covdata_once_get(struct covdata_once *once, struct error *err);

/* NULL is fine. */
void covdata_once_free(struct covdata_once *once);

#endif
