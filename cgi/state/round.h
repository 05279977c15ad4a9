/*
 * The work of one request: its files are grouped by program, what is new of them is added to what
 * is kept, and the snapshots of running processes to a copy of that.
 */
#ifndef GOVERAGE_STATE_ROUND_H
#define GOVERAGE_STATE_ROUND_H

#include "cgi/base/cleanup.h"
#include "cgi/directory/directory_watch.h"
#include "cgi/directory/inputs.h"
#include "cgi/state/kept.h"
#include "cgi/state/reader.h"
#include "cgi/sum/program.h"

/* The files of one program in this request. */
struct round_group {
	const struct input_group *files;
	struct program *program; /* this is a user of it; NULL = no good meta-data */
	bool kept; /* its meta-data lies in a directory: the program is part of what is kept */
	struct merge_target target;
	size_t *first; /* owned; behind target.first */
};

struct round {
	const struct reader_request *request;
	struct reader_report *report;
	struct inputs inputs;
	struct round_group *groups; /* owned; inputs.n_groups */
};

/* Group the files and find their programs.  -1 as reader_load(). */
must_check int round_begin(struct round *round, struct program_cache *cache, struct error *err);

/*
 * Bring *kept up to date with the directories; when that is not possible it begins anew.  With
 * `again` the files are remembered, so that the next round can go on from here.  On -1 (as
 * reader_load) *kept is void.
 */
must_check int round_update(struct round *round, struct kept *kept, bool again, struct error *err);

/* After round_update(): note whether a round can be the same again. */
void round_settle(const struct round *round, struct kept *kept);

/* Is this it, so that *kept is up to date?  See reader_list(). */
bool round_repeats(const struct reader_request *request, const struct kept *kept);

/* Then instead of round_begin() and round_update(): the snapshots alone are grouped.  -1:
 * ERROR_UNAVAILABLE. */
must_check int round_repeat(struct round *round, const struct kept *kept,
			    struct program_cache *cache, struct error *err);

/*
 * The profile with the snapshots of running processes: `base`, or a copy of it.  The caller becomes
 * a user.  NULL as reader_load().
 *
 * `last`, or NULL, is what they came to before, beside the same base: its profile is taken where
 * they say the same again.  *now becomes what they come to this time, where that is not the same
 * and not too large to be kept; the caller owns it.  now NULL = nothing will be kept.
 */
must_check struct covprofile *round_add_live(struct round *round, struct covprofile *base,
					     const struct live_sum *last, struct live_sum **now,
					     struct error *err);

void round_free(struct round *round);

#define cleanup_round cleanup_with(round_free)

#endif
