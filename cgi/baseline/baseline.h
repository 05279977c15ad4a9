/*
 * The baseline: what had run when /v1/cover/clear was called last.  Profiles tell what has run
 * since: counters less those of the baseline, never below 0.  A sum of counters shrinks only when a
 * process is killed before it could write its counters, or when files are deleted: then what runs
 * next in the same blocks is hidden by as much as was lost.
 */
#ifndef GOVERAGE_BASELINE_BASELINE_H
#define GOVERAGE_BASELINE_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/settings.h"
#include "cgi/base/string_list.h"
#include "cgi/collect/selection.h"
#include "cgi/state/reader.h"
#include "cgi/sum/covprofile.h"

struct baseline {
	int64_t set_ns;		    /* when it was set, unix nanoseconds; 0 = there is none */
	struct covprofile *profile; /* this is a user of it; NULL = nothing had run */
	char digest[33];	    /* of the profile; "" without one */
	char *passed_over;	    /* owned; why a state directory that is there is none of ours;
				       NULL = none was passed over */
};

#define BASELINE_INIT ((struct baseline){0})

/* The baseline that was read last; for any number of threads. */
struct baseline_cache;

/* `keep`: whether anything is kept at all.  NULL when memory runs out. */
must_check struct baseline_cache *baseline_cache_new(bool keep);
void baseline_cache_free(struct baseline_cache *cache);

/*
 * Find the latest baseline for coverage directories (`dirs`: their real paths); of it what the
 * selection chooses, whose processes are in `live`.  It is no error when there is none.
 *
 * Anybody may have made the state directory that nobody has set (in /tmp): where it is not of this
 * user, who so has no baseline in it, that is no error either, but told in baseline->passed_over.
 *
 * -1: ERROR_INTERNAL with what to do where the directory in GOVERAGE_STATE can't be trusted or
 * read, or where the baseline is damaged; ERROR_UNAVAILABLE, ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int baseline_read(struct baseline *baseline, struct baseline_cache *cache,
			     struct reader *reader, const struct settings *settings,
			     const struct string_list *dirs, const struct selection *selection,
			     const struct live_report *live, const struct deadline *deadline,
			     struct error *err);

/* The fingerprint of an answer from which the baseline was subtracted; as it is where there is
 * none. */
uint64_t baseline_fingerprint(const struct baseline *baseline, uint64_t fingerprint);

void baseline_free(struct baseline *baseline);

#define cleanup_baseline cleanup_with(baseline_free)

#endif
