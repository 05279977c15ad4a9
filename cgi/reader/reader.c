#include "cgi/reader/reader.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "cgi/reader/kept.h"
#include "cgi/reader/program.h"
#include "cgi/reader/report.h"
#include "cgi/reader/round.h"
#include "cgi/reader/textfmt_writer.h"

/* What is kept of one list of directories. */
struct kept_list {
	char *key; /* owned: the paths */
	struct kept sum;
	struct kept_list *next; /* the one that was used before */
};

/* A profile that somebody may want to compare with. */
struct remembered {
	char digest[33];
	struct covprofile *profile; /* this is a user of it */
	struct remembered *next; /* the one that was used before */
};

struct reader {
	size_t budget;
	pthread_mutex_t lock; /* for all below */
	struct program_cache programs;
	struct kept_list *kept; /* owned; the youngest first */
	struct remembered *remembered; /* owned; the youngest first */
};

struct reader *reader_new(size_t budget, struct error *err)
{
	struct reader *reader = calloc(1, sizeof *reader);

	if (!reader) {
		error_no_memory(err);
		return NULL;
	}
	reader->budget = budget;
	pthread_mutex_init(&reader->lock, NULL);
	return reader;
}

static void kept_list_free(struct kept_list *list)
{
	kept_free(&list->sum);
	free(list->key);
	free(list);
}

static void remembered_free(struct remembered *remembered)
{
	covprofile_release(remembered->profile);
	free(remembered);
}

void reader_free(struct reader *reader)
{
	struct remembered *remembered;
	struct kept_list *list;

	if (!reader)
		return;
	while ((list = reader->kept)) {
		reader->kept = list->next;
		kept_list_free(list);
	}
	while ((remembered = reader->remembered)) {
		reader->remembered = remembered->next;
		remembered_free(remembered);
	}
	program_cache_free(&reader->programs);
	pthread_mutex_destroy(&reader->lock);
	free(reader);
}

/* --- what is kept -------------------------------------------------------------------------------- */

static char *make_key(const struct coverage_set *set)
{
	cleanup_buffer struct buffer key = BUFFER_INIT;
	size_t i;

	buffer_puts(&key, "");
	for (i = 0; i < set->dirs.n; i++) {
		buffer_append(&key, set->dirs.items[i].text, set->dirs.items[i].len);
		buffer_putc(&key, ',');
	}
	return key.failed ? NULL : steal_ptr(key.data);
}

/* What is kept of these directories, moved to the front of the list; new and empty where there is none. */
static struct kept_list *find_kept(struct reader *reader, const struct coverage_set *set)
{
	char *key = make_key(set);
	struct kept_list **at, *list;

	if (!key)
		return NULL;
	for (at = &reader->kept; *at && strcmp((*at)->key, key) != 0; at = &(*at)->next)
		;
	list = *at;
	if (list) {
		*at = list->next;
		free(key);
	} else {
		list = calloc(1, sizeof *list);
		if (!list) {
			free(key);
			return NULL;
		}
		list->key = key;
	}
	list->next = reader->kept;
	reader->kept = list;
	return list;
}

static size_t memory_used(const struct reader *reader)
{
	size_t bytes = program_cache_memory(&reader->programs);
	const struct remembered *remembered;
	const struct kept_list *list;

	for (list = reader->kept; list; list = list->next)
		bytes += sizeof *list + kept_memory(&list->sum);
	for (remembered = reader->remembered; remembered; remembered = remembered->next)
		bytes += sizeof *remembered + covprofile_memory(remembered->profile);
	return bytes;
}

static void drop_oldest_kept(struct reader *reader)
{
	struct kept_list **at = &reader->kept;

	while ((*at)->next)
		at = &(*at)->next;
	kept_list_free(*at);
	*at = NULL;
}

static void drop_oldest_remembered(struct reader *reader)
{
	struct remembered **at = &reader->remembered;

	while ((*at)->next)
		at = &(*at)->next;
	remembered_free(*at);
	*at = NULL;
}

/* Forget something: the state of other directories, idle programs, earlier profiles, at last all. */
static bool drop_something(struct reader *reader)
{
	if (reader->kept && reader->kept->next)
		drop_oldest_kept(reader);
	else if (program_cache_drop_oldest(&reader->programs))
		return true;
	else if (reader->remembered)
		drop_oldest_remembered(reader);
	else if (reader->kept)
		drop_oldest_kept(reader);
	else
		return false;
	return true;
}

static void keep_to_budget(struct reader *reader)
{
	while (memory_used(reader) > reader->budget)
		if (!drop_something(reader)) {
			/* the programs of this very request */
			program_cache_free(&reader->programs);
			return;
		}
}

/* --- one request --------------------------------------------------------------------------------- */

/* Identical polls at the same moment wait here for one another, and find the work done. */
static int lock(struct reader *reader, const struct deadline *deadline, struct error *err)
{
	int64_t until_ns = deadline_left_ms(deadline) * 1000000;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until_ns += until.tv_nsec;
	until.tv_sec += (time_t)(until_ns / 1000000000);
	until.tv_nsec = (long)(until_ns % 1000000000);
	if (pthread_mutex_timedlock(&reader->lock, &until) == 0)
		return 0;
	return error_set(err, ERROR_TIMEOUT,
			 "the time for one answer ran out while another request read the coverage "
			 "files: set GOVERAGE_TIMEOUT to more seconds");
}

/* Everything that needs the lock; the caller becomes a user of the profile. */
static struct covprofile *update(struct reader *reader, struct round *round,
				 const struct reader_request *request, struct reader_report *report,
				 struct error *err)
{
	struct kept_list *list = find_kept(reader, request->set);
	struct covprofile *base = NULL;

	if (!list) {
		error_no_memory(err);
		return NULL;
	}
	program_cache_tick(&reader->programs);
	if (round_begin(round, request, report, &reader->programs, err) == 0 &&
	    round_update(round, &list->sum, reader->budget > 0, err) == 0)
		base = covprofile_use(list->sum.profile);
	else
		kept_free(&list->sum);
	keep_to_budget(reader);
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
		return error_set(err, ERROR_INTERNAL,
				 "the coverage files are of a format that is newer than this program "
				 "(the first: %s): install the covdata of the Go that built the "
				 "service",
				 report->skipped.n ? report->skipped.items[0].text : "-");
	if (report->n_programs)
		return 0;
	if (report->n_skipped)
		return error_set(err, ERROR_UNAVAILABLE,
				 "no coverage data can be read: %zu files were left out, the first: %s",
				 report->n_skipped, report->skipped.items[0].text);
	return error_set(err, ERROR_UNAVAILABLE,
			 "there is no coverage data yet: run the service, built with go build "
			 "-cover, with GOCOVERDIR set to the same directory");
}

struct covprofile *reader_load(struct reader *reader, const struct reader_request *request,
			       struct reader_report *report, struct error *err)
{
	cleanup_round struct round round = ROUND_INIT;
	cleanup_covprofile struct covprofile *base = NULL, *profile = NULL;

	if (lock(reader, request->deadline, err) < 0)
		return NULL;
	base = update(reader, &round, request, report, err);
	pthread_mutex_unlock(&reader->lock);
	if (!base || check_report(report, err) < 0)
		return NULL;
	profile = round_add_live(&round, base, err);
	if (!profile || check_report(report, err) < 0 || check_modes(request, profile, err) < 0 ||
	    report_profile(report, profile, err) < 0)
		return NULL;
	return steal_ptr(profile);
}

/* --- earlier profiles ---------------------------------------------------------------------------- */

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

/* The profile under the digest, taken out of the list; NULL when it is not there. */
static struct remembered *take_remembered(struct reader *reader, const char *digest)
{
	struct remembered **at = &reader->remembered, *found;

	while (*at && strcmp((*at)->digest, digest) != 0)
		at = &(*at)->next;
	found = *at;
	if (found)
		*at = found->next;
	return found;
}

static void put_first(struct reader *reader, struct remembered *remembered)
{
	remembered->next = reader->remembered;
	reader->remembered = remembered;
}

void reader_remember(struct reader *reader, struct covprofile *profile, const char *digest)
{
	struct remembered *remembered;

	pthread_mutex_lock(&reader->lock);
	remembered = take_remembered(reader, digest);
	if (!remembered) {
		remembered = calloc(1, sizeof *remembered);
		if (remembered) {
			memcpy(remembered->digest, digest, strnlen(digest, 32));
			remembered->profile = covprofile_use(profile);
		}
	}
	if (remembered)
		put_first(reader, remembered);
	keep_to_budget(reader);
	pthread_mutex_unlock(&reader->lock);
}

struct covprofile *reader_recall(struct reader *reader, const char *digest)
{
	struct covprofile *profile = NULL;
	struct remembered *remembered;

	pthread_mutex_lock(&reader->lock);
	remembered = take_remembered(reader, digest);
	if (remembered) {
		put_first(reader, remembered);
		profile = covprofile_use(remembered->profile);
	}
	pthread_mutex_unlock(&reader->lock);
	return profile;
}

/* --- text ---------------------------------------------------------------------------------------- */

int reader_textfmt(const struct covprofile *profile, uint64_t *size, const struct deadline *deadline,
		   struct error *err)
{
	cleanup_fd int fd = memfd_create("profile", MFD_CLOEXEC);

	if (fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make an anonymous file");
	if (textfmt_write(profile, fd, size, deadline, err) < 0)
		return -1;
	return steal_fd(&fd);
}
