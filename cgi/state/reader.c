#include "cgi/state/reader.h"

#include <string.h>

#include "cgi/state/reader_state.h"
#include "cgi/state/report.h"
#include "cgi/state/round.h"

struct reader *reader_new(size_t budget, struct error *err)
{
	struct reader *reader = calloc(1, sizeof *reader);

	if (!reader) {
		error_no_memory(err);
		return NULL;
	}
	reader->budget = budget;
	reader->history.lru = &reader->earlier;
	timed_lock_init(&reader->lock);
	return reader;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	lru_trim(&reader->places, 0);
	lru_trim(&reader->earlier, 0);
	profile_history_close(&reader->history);
	program_cache_free(&reader->programs);
	timed_lock_destroy(&reader->lock);
	free(reader);
}

/* --- one request ----------------------------------------------------------------------------- */

/* Identical polls at the same moment wait here for one another, and find the work done. */
int reader_lock(struct reader *reader, const struct deadline *deadline, struct error *err)
{
	if (timed_lock_take_until(&reader->lock, deadline) == 0)
		return 0;
	return error_set(err, ERROR_TIMEOUT,
			 "the time for one answer ran out while another request read the coverage "
			 "files: set GOVERAGE_TIMEOUT to more seconds");
}

/* Bring what is kept up to date with the directories. */
static int follow(struct reader *reader, struct round *round, struct kept *kept, bool again,
		  struct error *err)
{
	const struct reader_request *request = round->request;

	if (round_repeats(request, kept))
		return round_repeat(round, kept, &reader->programs, err);
	if (request->dir_fds)
		inputs_borrow(&round->inputs, request->dir_fds, request->set->dirs.n);
	else if (inputs_open(&round->inputs, request->set, err) < 0)
		return -1;
	if (round_begin(round, &reader->programs, err) < 0 ||
	    round_update(round, kept, again, err) < 0)
		return -1;
	round_settle(round, kept);
	return 0;
}

/* Everything that needs the lock; the caller becomes a user of the profile, and of *live. */
static struct covprofile *update(struct reader *reader, struct round *round, struct live_sum **live,
				 struct error *err)
{
	const struct reader_request *request = round->request;
	cleanup_kept struct kept once = KEPT_INIT;
	bool again = !request->once && reader->budget;
	struct place *place = again ? reader_place(reader, &request->set->dirs) : NULL;
	struct kept *kept = place ? &place->sum : &once;
	struct covprofile *base = NULL;

	program_cache_tick(&reader->programs);
	if (follow(reader, round, kept, again, err) == 0) {
		base = covprofile_use(kept->profile);
		*live = live_sum_use(kept->live);
		/* so much for what makes printing cheap, the rest for what makes reading cheap */
		if (!request->once)
			atomic_store(&base->derived->limit, reader->budget / 8 * 3);
	} else {
		kept_free(kept);
	}
	reader_keep_to_budget(reader);
	return base;
}

static int check_modes(const struct reader_request *request, const struct covprofile *profile,
		       struct error *err)
{
	if (!request->strict_modes || !profile->mixed_modes)
		return 0;
	return error_set(err, ERROR_CONFLICT,
			 "programs that were built with different counter modes lie together: ask "
			 "without mode=strict for covered or not, or keep them in different "
			 "directories");
}

static int check_report(const struct reader_report *report, struct error *err)
{
	if (report->newer_format)
		return error_set(
		    err, ERROR_INTERNAL,
		    "the coverage files are of a format that is newer than this program "
		    "(the first: %s): install the covdata of the Go that built the "
		    "service",
		    report->skipped.n ? report->skipped.items[0].text : "-");
	if (report->n_programs)
		return 0;
	if (report->n_skipped)
		return error_set(
		    err, ERROR_UNAVAILABLE,
		    "no coverage data can be read: %zu files were left out, the first: %s",
		    report->n_skipped, report->skipped.items[0].text);
	return error_set(err, ERROR_UNAVAILABLE,
			 "there is no coverage data yet: run the service, built with go build "
			 "-cover, with GOCOVERDIR set to the same directory");
}

/* What the running processes came to, beside a profile that may have gone on meanwhile. */
static void keep_live(struct reader *reader, const struct coverage_set *set,
		      const struct covprofile *base, struct live_sum *live)
{
	struct place *place;

	timed_lock_take(&reader->lock);
	place = reader_place(reader, &set->dirs);
	if (place && place->sum.profile == base) {
		live_sum_release(place->sum.live);
		place->sum.live = live_sum_use(live);
	}
	reader_keep_to_budget(reader);
	timed_lock_give_back(&reader->lock);
}

struct covprofile *reader_load(struct reader *reader, const struct reader_request *request,
			       struct reader_report *report, struct error *err)
{
	cleanup_round struct round round = {.request = request, .report = report};
	cleanup_covprofile struct covprofile *base = NULL, *profile = NULL;
	cleanup_live_sum struct live_sum *last = NULL, *now = NULL;

	if (reader_lock(reader, request->deadline, err) < 0)
		return NULL;
	base = update(reader, &round, &last, err);
	timed_lock_give_back(&reader->lock);
	if (!base || check_report(report, err) < 0)
		return NULL;
	profile =
	    round_add_live(&round, base, last, reader->budget && !request->once ? &now : NULL, err);
	if (now)
		keep_live(reader, request->set, base, now);
	if (!profile || check_report(report, err) < 0 || check_modes(request, profile, err) < 0 ||
	    report_profile(report, profile, err) < 0)
		return NULL;
	return steal_ptr(profile);
}

/* --- earlier profiles ------------------------------------------------------------------------ */

static void subtract(uint32_t *now, const uint32_t *before, size_t n, bool set)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (set)
			now[i] = now[i] && !before[i];
		else
			now[i] = now[i] > before[i] ? now[i] - before[i] : 0;
}

struct covprofile *reader_subtract(const struct covprofile *now, const struct covprofile *before,
				   struct error *err)
{
	struct covprofile *rest = covprofile_copy(now, err);
	uint32_t i;

	for (i = 0; rest && i < rest->n_parts; i++) {
		const struct profile_part *part = &rest->parts[i];
		ssize_t first = covprofile_find(before, part->package);

		if (first >= 0)
			subtract(rest->counters + part->first_counter, before->counters + first,
				 part->package->n_units, covprofile_is_set(now));
	}
	return rest;
}

/* Without memory the profile will have been forgotten. */
void reader_remember(struct reader *reader, const struct covprofile *profile, const char *digest)
{
	if (!reader->budget)
		return;
	timed_lock_take(&reader->lock);
	profile_history_add(&reader->history, digest, profile);
	reader_keep_to_budget(reader);
	timed_lock_give_back(&reader->lock);
}

int reader_recall(struct reader *reader, const char *digest, struct covprofile **profile,
		  struct error *err)
{
	int rc;

	timed_lock_take(&reader->lock);
	rc = profile_history_open(&reader->history, digest, profile, err);
	timed_lock_give_back(&reader->lock);
	return rc;
}
