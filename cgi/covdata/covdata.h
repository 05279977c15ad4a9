/* Go's own covdata tool: finding it, and running `covdata textfmt` over a set of coverage files. */
#ifndef GOVERAGE_COVDATA_COVDATA_H
#define GOVERAGE_COVDATA_COVDATA_H

#include <stdbool.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/settings.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/directory/staging.h"

struct covdata; /* private; found once, used by any number of threads */

/*
 * Find it: GOVERAGE_COVDATA; `covdata` on PATH; `go tool covdata` with the go on PATH; beside this
 * program.  PATH is the process's own ("/usr/local/bin:/usr/bin:/bin" where it is unset).
 * NULL with ERROR_INTERNAL and a sentence that begins with "covdata not found: " and tells where it
 * was looked for and what to do.
 */
must_check struct covdata *covdata_find(const struct settings *settings, struct error *err);

/* How it was found, for --check and the log: "/usr/bin/covdata", "/usr/bin/go tool covdata". */
const char *covdata_description(const struct covdata *covdata);

/* Does it take the go command to say where it is, or to build it? */
bool covdata_needs_go(const struct covdata *covdata);

/*
 * Make sure that it can be run at once: with the go of Go 1.25 and later the first use builds
 * covdata, which takes some 10 s (later ones find it in the build cache).  covdata_textfmt() does
 * it by itself; a process that stays can have it behind it, and --check can say whether it works.
 * -1 with a sentence that begins with "covdata not found: " where go has none, or ERROR_TIMEOUT,
 * ERROR_CANCELLED.
 */
must_check int covdata_prepare(struct covdata *covdata, const struct deadline *deadline,
			       struct error *err);

void covdata_free(struct covdata *covdata);

/*
 * The profile of the set in textfmt, as an anonymous memory file, which the caller owns, at any
 * file position.  The files are staged by links in `staging` (one subdirectory for each directory
 * of the set), next to what the caller has put into the staging subdirectory `extra` (NULL = none).
 * When covdata names a file that it can't read, that one is left out of the set, and it runs again,
 * COVDATA_MAX_RETRIES times at most; files that have vanished meanwhile are left out without being
 * counted as skipped.
 *
 * The staging directory is left as it was found, but for extra files that were left out.
 *
 * -1: ERROR_INTERNAL with covdata's last words, ERROR_CONFLICT where good files don't go together,
 * ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_UNAVAILABLE.
 */
must_check int covdata_textfmt(struct covdata *covdata, struct coverage_set *set,
			       struct staging *staging, const char *extra,
			       const struct deadline *deadline, struct error *err);

enum { COVDATA_MAX_RETRIES = 5 };

#endif
