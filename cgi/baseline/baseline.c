#include "cgi/baseline/baseline.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "cgi/base/hash.h"
#include "cgi/base/log.h"
#include "cgi/baseline/baseline_store.h"
#include "cgi/baseline/state_dir.h"
#include "cgi/collect/service_filter.h"
#include "cgi/directory/source_file.h"

/* Each time somebody else has set another one meanwhile. */
enum { READ_TRIES = 8 };

struct baseline_cache {
	bool keep;
	pthread_mutex_t lock;
	struct file_identity directory; /* of the baseline */
	struct baseline last;
};

struct baseline_cache *baseline_cache_new(bool keep)
{
	struct baseline_cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		return NULL;
	cache->keep = keep;
	if (pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		return NULL;
	}
	return cache;
}

void baseline_cache_free(struct baseline_cache *cache)
{
	if (!cache)
		return;
	baseline_free(&cache->last);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void baseline_free(struct baseline *baseline)
{
	covprofile_release(baseline->profile);
	free(baseline->passed_over);
	*baseline = BASELINE_INIT;
}

static void copy(struct baseline *to, const struct baseline *from)
{
	baseline_free(to);
	*to = *from;
	if (to->profile)
		covprofile_use(to->profile);
}

/* One question for the latest baseline. */
struct finding {
	struct baseline_cache *cache;
	struct reader *reader;
	const struct selection *selection;
	const struct live_report *live; /* the chosen processes */
	const struct deadline *deadline;
	struct state_dir state;
	char key[BASELINE_KEY_SIZE];
};

/* --- what is kept ---------------------------------------------------------------------------- */

static bool find_kept(const struct finding *f, const struct file_identity *directory,
		      struct baseline *baseline)
{
	struct baseline_cache *cache = f->cache;
	bool found;

	pthread_mutex_lock(&cache->lock);
	found = cache->last.set_ns && selection_is_all(f->selection) &&
		memcmp(&cache->directory, directory, sizeof *directory) == 0;
	if (found)
		copy(baseline, &cache->last);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static void keep(const struct finding *f, const struct file_identity *directory,
		 const struct baseline *baseline)
{
	struct baseline_cache *cache = f->cache;

	if (!cache->keep || !selection_is_all(f->selection))
		return;
	pthread_mutex_lock(&cache->lock);
	copy(&cache->last, baseline);
	cache->directory = *directory;
	pthread_mutex_unlock(&cache->lock);
}

/* --- reading --------------------------------------------------------------------------------- */

static int load_profile(const struct finding *f, const struct coverage_set *set,
			struct baseline *baseline, struct error *err)
{
	const struct reader_request request = {.set = set, .deadline = f->deadline, .once = true};
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;

	if (set->n_meta == 0)
		return 0;
	baseline->profile = reader_load(f->reader, &request, &report, err);
	if (report.n_skipped)
		return error_set(err, ERROR_INTERNAL, "%.700s", report.skipped.items[0].text);
	if (!baseline->profile)
		return -1;
	memcpy(baseline->digest, report.digest, sizeof baseline->digest);
	return 0;
}

/* By address: the files of the processes themselves. */
static bool is_chosen(const struct finding *f, const struct coverage_file *file)
{
	size_t i;

	if (!selection_has_build(f->selection, file))
		return false;
	if (!f->selection->chosen[CHOICE_ADDRESS]->n || file->kind == COVERAGE_META)
		return true;
	for (i = 0; i < f->live->n; i++)
		if (baseline_is_of_process(file, &f->live->processes[i]))
			return true;
	return false;
}

static int keep_chosen(const struct finding *f, struct coverage_set *set, struct error *err)
{
	cleanup_free bool *keep = NULL;
	size_t i;

	if (selection_is_all(f->selection))
		return 0;
	keep = calloc(set->n_files + 1, sizeof *keep);
	if (!keep)
		return error_no_memory(err);
	for (i = 0; i < set->n_files; i++)
		keep[i] = is_chosen(f, &set->files[i]);
	return coverage_set_keep(set, keep, err);
}

static int load(const struct finding *f, struct baseline *baseline, struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	const struct live_report none = LIVE_REPORT_INIT;

	if (baseline_files(&set, &f->state, f->key, baseline->set_ns, f->deadline, err) < 0 ||
	    service_filter_apply(&set, &none, f->selection->chosen[CHOICE_SERVICE], NULL,
				 f->deadline, err) < 0 ||
	    keep_chosen(f, &set, err) < 0)
		return -1;
	return load_profile(f, &set, baseline, err);
}

static int identify(const struct finding *f, int64_t set_ns, struct file_identity *directory,
		    struct error *err)
{
	char name[BASELINE_NAME_SIZE];
	bool gone;

	baseline_name(name, f->key, set_ns);
	if (source_file_identify(f->state.fd, name, directory, &gone, err) < 0)
		return error_prefix(err, "%s ", name);
	return 0;
}

static int read_one(const struct finding *f, struct baseline *baseline, struct error *err)
{
	struct file_identity directory;

	if (identify(f, baseline->set_ns, &directory, err) < 0)
		return -1;
	if (find_kept(f, &directory, baseline))
		return 0;
	if (load(f, baseline, err) < 0)
		return -1;
	keep(f, &directory, baseline);
	return 0;
}

static int explain(const struct finding *f, struct error *err)
{
	if (err->class != ERROR_INTERNAL)
		return -1;
	return error_prefix(err,
			    "the baseline in %.300s can't be read (POST /v1/cover/clear sets a new "
			    "one, total=true asks for the numbers without it): ",
			    f->state.path);
}

/* One that is removed while it is read is not the latest any more: then the next one is read. */
static int read_latest(const struct finding *f, struct baseline *baseline, struct error *err)
{
	int64_t latest_ns = baseline_latest(&f->state, f->key, err);
	struct error why = {0};
	int tries, rc = 0;

	for (tries = 0; tries < READ_TRIES && latest_ns > 0; tries++) {
		baseline_free(baseline);
		baseline->set_ns = latest_ns;
		rc = read_one(f, baseline, &why);
		latest_ns = baseline_latest(&f->state, f->key, err);
		if (latest_ns == baseline->set_ns)
			break;
	}
	if (latest_ns < 0)
		return -1;
	if (rc == 0)
		return 0;
	*err = why;
	return explain(f, err);
}

/* What has no number of a system call is said of the directory itself, and stays so. */
static int pass_over(struct baseline *baseline, struct error *err)
{
	if (err->class != ERROR_INTERNAL || err->errnum)
		return -1;
	log_line("profile without a baseline: %s", err->message);
	baseline->passed_over = strdup(err->message);
	return baseline->passed_over ? 0 : error_no_memory(err);
}

int baseline_read(struct baseline *baseline, struct baseline_cache *cache, struct reader *reader,
		  const struct settings *settings, const struct string_list *dirs,
		  const struct selection *selection, const struct live_report *live,
		  const struct deadline *deadline, struct error *err)
{
	struct finding f = {
	    .cache = cache,
	    .reader = reader,
	    .selection = selection,
	    .live = live,
	    .deadline = deadline,
	    .state = STATE_DIR_INIT,
	};
	int rc = state_dir_open(&f.state, settings, dirs, err);

	baseline_key(f.key, dirs);
	if (rc < 0)
		rc = settings->state ? -1 : pass_over(baseline, err);
	else if (f.state.fd >= 0)
		rc = read_latest(&f, baseline, err);
	state_dir_close(&f.state);
	return rc;
}

/* --- its identity ---------------------------------------------------------------------------- */

uint64_t baseline_fingerprint(const struct baseline *baseline, uint64_t fingerprint)
{
	if (!baseline->set_ns)
		return fingerprint;
	fingerprint = hash_bytes(fingerprint, &baseline->set_ns, sizeof baseline->set_ns);
	return hash_bytes(fingerprint, baseline->digest, strlen(baseline->digest));
}
