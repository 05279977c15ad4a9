/* --check: is everything in order?  In plain sentences, for the person who sets it up. */
#ifndef GOVERAGE_CHECK_H
#define GOVERAGE_CHECK_H

#include <stdio.h>

#include "cgi/base/error.h"

/*
 * Look at the settings, the coverage directories, covdata and the private directory that it takes
 * as this user finds them, and run covdata over what is there.  One line for each to `out`, "ok: …" or "FAILED:
 * …" with what to do.  0 when nothing failed, else -1.
 */
must_check int check_run(FILE *out);

#endif
