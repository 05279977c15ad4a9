/* The built-in reader as a whole: what it keeps, how it fails, many threads at once. */
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/state/reader.h"
#include "cgi/text/textfmt_writer.h"
#include "made_coverage.h"
#include "tests/lib/listing.h"
#include "tests/lib/memory_dir.h"

static struct deadline long_enough(void)
{
	return deadline_in_ms(60000, -1);
}

/* --- directories ----------------------------------------------------------------------------- */

static const char *const one_package[] = {"example.org/a", NULL};

static void put_meta(const char *dir, const char *tag, const char *const *packages, uint8_t mode)
{
	cleanup_buffer struct buffer bytes = BUFFER_INIT;
	char path[600];

	make_meta(&bytes, packages, mode);
	snprintf(path, sizeof path, "%s/covmeta.%s", dir, tag);
	write_file(path, bytes.data, bytes.len);
}

static void put_counters(const char *dir, const char *tag, int pid, unsigned count)
{
	cleanup_buffer struct buffer bytes = BUFFER_INIT;
	char path[600];

	make_counters(&bytes, count);
	snprintf(path, sizeof path, "%s/covcounters.%s.%d.1", dir, tag, pid);
	write_file(path, bytes.data, bytes.len);
}

static const char *make_dir(const char *name)
{
	const char *path = in_scratch(name);

	assert_int_equal(mkdir(path, 0777), 0);
	return path;
}

static int list(struct coverage_set *set, const char *dir, const struct deadline *deadline,
		struct error *err)
{
	cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t room = 0;

	if (fd < 0 || string_list_add(&set->dirs, dir, strlen(dir)) < 0)
		return -1;
	return coverage_list(set, &room, fd, 0, deadline, err);
}

static struct covprofile *load_until(struct reader *reader, const char *dir,
				     struct reader_report *report, const struct deadline *deadline,
				     struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct deadline relaxed = long_enough();
	struct reader_request request = {.set = &set, .deadline = deadline};

	if (list(&set, dir, &relaxed, err) < 0)
		return NULL;
	return reader_load(reader, &request, report, err);
}

static struct covprofile *load(struct reader *reader, const char *dir, struct reader_report *report,
			       struct error *err)
{
	struct deadline deadline = long_enough();

	return load_until(reader, dir, report, &deadline, err);
}

/* The text of what a directory says. */
static char *text_of(struct reader *reader, const char *dir)
{
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	struct error err = {0};
	cleanup_covprofile struct covprofile *profile = load(reader, dir, &report, &err);
	struct deadline deadline = long_enough();
	cleanup_textfmt_writer struct textfmt_writer *writer = NULL;
	cleanup_profile_text struct profile_text *text = NULL;

	if (!profile)
		return NULL;
	writer = textfmt_writer_new(profile, NULL, &deadline, &err);
	text = writer ? textfmt_writer_text(writer, NULL, &err) : NULL;
	return text ? strndup(text->bytes, text->len) : NULL;
}

static void expect_text(struct reader *reader, const char *dir, const char *expected)
{
	cleanup_free char *text = text_of(reader, dir);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void sums(void **state)
{
	const char *dir = make_dir("sums");
	struct reader *reader = reader_new(1 << 20, NULL);

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 0\n");
	put_counters(dir, TAG_A, 1, 3);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 3\n");
	put_counters(dir, TAG_A, 2, 4);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 7\n");
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 7\n");
	assert_int_equal(unlink(in_scratch("sums/covcounters." TAG_A ".1.1")), 0);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 4\n");
	reader_free(reader);
}

/* A file whose bytes change by way of another directory: no watch on its own can tell. */
static void changes_from_elsewhere(void **state)
{
	const char *dir = make_dir("from-elsewhere"), *elsewhere = make_dir("elsewhere");
	struct reader *reader = reader_new(1 << 20, NULL);

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	put_counters(elsewhere, TAG_A, 1, 1);
	put_counters(elsewhere, TAG_A, 2, 10);
	assert_int_equal(link(in_scratch("elsewhere/covcounters." TAG_A ".1.1"),
			      in_scratch("from-elsewhere/covcounters." TAG_A ".1.1")),
			 0);
	assert_int_equal(symlink(in_scratch("elsewhere/covcounters." TAG_A ".2.1"),
				 in_scratch("from-elsewhere/covcounters." TAG_A ".2.1")),
			 0);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 11\n");
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 11\n");
	put_counters(elsewhere, TAG_A, 1, 2);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 12\n");
	put_counters(elsewhere, TAG_A, 2, 20);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 22\n");
	reader_free(reader);
}

/* Under its old name, of the same size: in place, and as another file. */
static void changes_of_known_files(void **state)
{
	const char *dir = make_dir("known"), *aside = make_dir("aside");
	struct reader *reader = reader_new(1 << 20, NULL);

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	put_counters(dir, TAG_A, 1, 1);
	put_counters(dir, TAG_A, 2, 10);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 11\n");
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 11\n");
	put_counters(dir, TAG_A, 1, 2);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 12\n");
	put_counters(aside, TAG_A, 2, 20);
	assert_int_equal(rename(in_scratch("aside/covcounters." TAG_A ".2.1"),
				in_scratch("known/covcounters." TAG_A ".2.1")),
			 0);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 22\n");
	reader_free(reader);
}

static void no_data(void **state)
{
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	const char *dir = make_dir("no-data");
	struct reader *reader = reader_new(0, NULL);
	struct error err = {0};

	(void)state;
	assert_null(load(reader, dir, &report, &err));
	assert_int_equal(err.class, ERROR_UNAVAILABLE);
	reader_report_free(&report);
	write_file(in_scratch("no-data/covmeta.x"), "x", 1);
	assert_null(load(reader, dir, &report, &err));
	assert_int_equal(err.class, ERROR_UNAVAILABLE);
	assert_int_equal(report.n_skipped, 1);
	assert_non_null(strstr(err.message, "no-data/covmeta.x ends too early"));
	reader_free(reader);
}

static void too_late(void **state)
{
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	struct deadline passed = deadline_in_ms(0, -1), cancelled = long_enough();
	const char *dir = make_dir("too-late");
	struct reader *reader = reader_new(1 << 20, NULL);
	struct error err = {0};
	int ends[2];

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	put_counters(dir, TAG_A, 1, 3);
	assert_null(load_until(reader, dir, &report, &passed, &err));
	assert_int_equal(err.class, ERROR_TIMEOUT);
	reader_report_free(&report);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	cancelled.cancel_fd = ends[0];
	assert_null(load_until(reader, dir, &report, &cancelled, &err));
	assert_int_equal(err.class, ERROR_CANCELLED);
	close(ends[0]);
	expect_text(reader, dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 3\n");
	reader_free(reader);
}

/* --- running processes ----------------------------------------------------------------------- */

/* Good for one call. */
static const char *path_of(const char *dir, const char *name)
{
	static char path[600];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

/* What the directory and the snapshots in the other one say together: the count, and the digest. */
static unsigned count_with(struct reader *reader, const char *dir, const char *live,
			   size_t n_counter_files, size_t n_skipped, char digest[33])
{
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_memory_files struct memory_files files = MEMORY_FILES_INIT;
	cleanup_covprofile struct covprofile *profile = NULL;
	struct deadline deadline = long_enough();
	struct reader_request request = {.set = &set, .live = &files, .deadline = &deadline};
	struct error err = {0};

	assert_int_equal(memory_dir_read(&files, live, &err), 0);
	assert_int_equal(list(&set, dir, &deadline, &err), 0);
	profile = reader_load(reader, &request, &report, &err);
	assert_non_null(profile);
	assert_int_equal(profile->n_counters, 1);
	assert_int_equal(report.n_counter_files, n_counter_files);
	assert_int_equal(report.n_skipped, n_skipped);
	memcpy(digest, report.digest, 33);
	return profile->counters[0];
}

/* --- rounds in which nothing has happened ---------------------------------------------------- */

struct following {
	struct reader *reader;
	const char *dir;
};

/*
 * The count, and whether the files were looked at for it; files of other file systems than those of
 * cgi/directory/directory_watch.c always are, so that the directory lies in memory.
 */
static unsigned follow(const struct following *f, const struct memory_files *live, bool *looked)
{
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_covprofile struct covprofile *profile = NULL;
	struct deadline deadline = long_enough();
	struct reader_request request = {.set = &set, .live = live, .deadline = &deadline};
	struct error err = {0};

	assert_int_equal(listing_read(f->reader, &set, f->dir, &deadline, &err), 0);
	profile = reader_load(f->reader, &request, &report, &err);
	assert_non_null(profile);
	assert_int_equal(report.n_programs, 1);
	assert_int_equal(report.n_counter_files, set.n_counters + (live ? live->n : 0));
	assert_int_equal(!report.findings, report.all_good);
	*looked = !report.all_good;
	return profile->counters[0];
}

/* The third time at the latest nothing has happened since. */
static void expect_count(const struct following *f, const struct memory_files *live, unsigned count)
{
	bool looked;

	assert_int_equal(follow(f, live, &looked), count);
	assert_int_equal(follow(f, live, &looked), count);
	assert_int_equal(follow(f, live, &looked), count);
	assert_false(looked);
}

static void add_live(struct memory_files *files, const char *name, unsigned count)
{
	cleanup_buffer struct buffer bytes = BUFFER_INIT;

	make_counters(&bytes, count);
	assert_int_equal(memory_files_add(files, name, &bytes), 1);
}

static void nothing_has_happened(void **state)
{
	static const char other[] = "covcounters." TAG_A ".9.1";
	cleanup_memory_files struct memory_files live = MEMORY_FILES_INIT;
	struct following f = {reader_new(1 << 20, NULL), NULL};
	char dir[] = "/dev/shm/goverage-test-XXXXXX", second[64];
	bool looked;

	(void)state;
	f.dir = mkdtemp(dir);
	assert_non_null(f.dir);
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	expect_count(&f, NULL, 0);
	put_counters(dir, TAG_A, 1, 3);
	expect_count(&f, NULL, 3);
	/* a process comes, its counters move, a second one comes, both go */
	add_live(&live, "covcounters." TAG_A ".7.1", 20);
	expect_count(&f, &live, 23);
	memory_files_remove(&live, "covcounters." TAG_A ".7.1");
	add_live(&live, "covcounters." TAG_A ".7.1", 21);
	expect_count(&f, &live, 24);
	add_live(&live, "covcounters." TAG_A ".8.1", 100);
	expect_count(&f, &live, 124);
	expect_count(&f, NULL, 3);
	/* the file is replaced, and beside it comes another one, which goes again */
	put_counters(dir, TAG_A, 1, 4);
	expect_count(&f, &live, 125);
	put_counters(dir, TAG_A, 9, 50);
	expect_count(&f, NULL, 54);
	assert_int_equal(unlink(path_of(dir, other)), 0);
	expect_count(&f, NULL, 4);
	/* one with a second name may change unseen: it is looked at each time */
	snprintf(second, sizeof second, "%s/second", dir);
	put_counters(dir, TAG_A, 9, 50);
	assert_int_equal(link(path_of(dir, other), second), 0);
	follow(&f, NULL, &looked);
	assert_int_equal(follow(&f, NULL, &looked), 54);
	assert_true(looked);
	remove_tree(dir);
	reader_free(f.reader);
}

/* Whichever of the two has changed since, or has not. */
static void running(size_t budget, const char *name, const char *live_name)
{
	const char *dir = make_dir(name), *live = make_dir(live_name);
	struct reader *reader = reader_new(budget, NULL);
	char first[33], digest[33];

	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	put_counters(dir, TAG_A, 1, 3);
	put_counters(live, TAG_A, 7, 20);
	assert_int_equal(count_with(reader, dir, live, 2, 0, first), 23);
	assert_int_equal(count_with(reader, dir, live, 2, 0, digest), 23);
	assert_string_equal(digest, first);
	/* another count in a file of the same name and size */
	put_counters(live, TAG_A, 7, 21);
	assert_int_equal(count_with(reader, dir, live, 2, 0, digest), 24);
	assert_string_not_equal(digest, first);
	put_counters(live, TAG_A, 7, 20);
	assert_int_equal(count_with(reader, dir, live, 2, 0, digest), 23);
	assert_string_equal(digest, first);
	/* the directory goes on beside the same snapshot, and back again */
	put_counters(dir, TAG_A, 2, 1);
	assert_int_equal(count_with(reader, dir, live, 3, 0, digest), 24);
	assert_int_equal(unlink(path_of(dir, "covcounters." TAG_A ".2.1")), 0);
	assert_int_equal(count_with(reader, dir, live, 2, 0, digest), 23);
	assert_string_equal(digest, first);
	/* a second process that says the same, and none at all */
	put_counters(live, TAG_A, 8, 20);
	assert_int_equal(count_with(reader, dir, live, 3, 0, digest), 43);
	assert_int_equal(count_with(reader, dir, live, 3, 0, digest), 43);
	assert_int_equal(unlink(path_of(live, "covcounters." TAG_A ".7.1")), 0);
	assert_int_equal(count_with(reader, dir, live, 2, 0, digest), 23);
	assert_int_equal(unlink(path_of(live, "covcounters." TAG_A ".8.1")), 0);
	assert_int_equal(count_with(reader, dir, live, 1, 0, digest), 3);
	reader_free(reader);
}

static void running_with_state(void **state)
{
	(void)state;
	running(1 << 20, "running-beside", "running-beside-live");
}

static void running_with_little_room(void **state)
{
	(void)state;
	running(2000, "running-beside-little", "running-beside-little-live");
}

static void running_without_state(void **state)
{
	(void)state;
	running(0, "running-beside-nothing", "running-beside-nothing-live");
}

/* A damaged snapshot is told of each time. */
static void running_damaged(void **state)
{
	const char *dir = make_dir("running-damaged"), *live = make_dir("damaged-live");
	struct reader *reader = reader_new(1 << 20, NULL);
	char digest[33];

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	put_counters(live, TAG_A, 7, 20);
	write_file(path_of(live, "covcounters." TAG_A ".8.1"), "bad", 3);
	assert_int_equal(count_with(reader, dir, live, 1, 1, digest), 20);
	assert_int_equal(count_with(reader, dir, live, 1, 1, digest), 20);
	reader_free(reader);
}

/* Of a thousand bad files some are named, and all are counted. */
static void many_skips(void **state)
{
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	cleanup_covprofile struct covprofile *profile = NULL;
	const char *dir = make_dir("many-skips");
	struct reader *reader = reader_new(1 << 20, NULL);
	struct error err = {0};
	char path[600];
	int i;

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof path, "%s/covcounters.%s.%d.2", dir, TAG_A, i);
		write_file(path, "bad", 3);
	}
	put_counters(dir, TAG_A, 5, 6);
	profile = load(reader, dir, &report, &err);
	assert_non_null(profile);
	assert_int_equal(report.n_skipped, 1000);
	assert_int_equal(report.skipped.n, READER_NAMED_SKIPS);
	assert_int_equal(report.n_counter_files, 1);
	assert_int_equal(profile->counters[0], 6);
	reader_free(reader);
}

static void expect_findings(struct reader *reader, const char *dir,
			    const enum coverage_finding *expected, size_t n)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	struct deadline deadline = long_enough();
	struct reader_request request = {.set = &set, .deadline = &deadline};
	struct error err = {0};
	size_t i;

	/* in the order of the set, which need not be that in which the reader takes them */
	assert_int_equal(coverage_set_list(&set, dir, &deadline, &err), 0);
	assert_int_equal(set.n_files, n);
	covprofile_release(reader_load(reader, &request, &report, &err));
	assert_non_null(report.findings);
	for (i = 0; i < n; i++)
		if (report.findings[i] != expected[i])
			fail_msg("%s: finding %d, not %d", set.files[i].name, report.findings[i],
				 expected[i]);
}

/* What the report says about each file, read now or known from before. */
static void findings(void **state)
{
	const char future[40] = COVCOUNTERS_MAGIC "\2\0\0\0 and what that version has";
	enum coverage_finding expected[] = {
	    COVERAGE_GOOD,    /* covcounters A 1 */
	    COVERAGE_GOOD,    /* 2 */
	    COVERAGE_DAMAGED, /* 3 */
	    COVERAGE_UNREAD,  /* covcounters B: no meta-data */
	    COVERAGE_UNREAD,  /* covmeta A: good, but of that nothing is told */
	};
	const char *dir = make_dir("findings");
	struct reader *reader = reader_new(1 << 20, NULL);

	(void)state;
	put_meta(dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	put_counters(dir, TAG_A, 1, 1);
	put_counters(dir, TAG_A, 2, 2);
	write_file(in_scratch("findings/covcounters." TAG_A ".3.1"), "bad", 3);
	put_counters(dir, TAG_B, 4, 4);
	expect_findings(reader, dir, expected, 5);
	expect_findings(reader, dir, expected, 5);
	write_file(in_scratch("findings/covcounters." TAG_A ".2.1"), "bad", 3);
	expected[1] = COVERAGE_DAMAGED;
	expect_findings(reader, dir, expected, 5);
	/* of a format that only covdata may know */
	write_file(in_scratch("findings/covcounters." TAG_A ".2.1"), future, sizeof future);
	expected[1] = COVERAGE_UNREAD;
	expect_findings(reader, dir, expected, 5);
	write_file(in_scratch("findings/covmeta." TAG_A), "bad", 3);
	expected[0] = expected[1] = expected[2] = expected[4] = COVERAGE_DAMAGED;
	expect_findings(reader, dir, expected, 5);
	reader_free(reader);
}

static struct covprofile *recall(struct reader *reader, const char *digest)
{
	struct covprofile *profile;
	struct error err = {0};

	assert_int_equal(reader_recall(reader, digest, &profile, &err), 0);
	return profile;
}

/* Earlier profiles are kept while there is room; the one that was asked for last stays longest. */
static void remembering(void **state)
{
	enum { MANY = 400 };
	struct covprofile *profile = covprofile_new(NULL);
	struct reader *reader = reader_new(10000, NULL);
	char digest[33];
	int i, held = 0;

	(void)state;
	assert_non_null(profile);
	for (i = 0; i < MANY; i++) {
		snprintf(digest, sizeof digest, "%032d", i);
		reader_remember(reader, profile, digest);
		covprofile_release(recall(reader, "00000000000000000000000000000000"));
	}
	for (i = 0; i < MANY; i++) {
		struct covprofile *found;

		snprintf(digest, sizeof digest, "%032d", i);
		found = recall(reader, digest);
		assert_true(found || (i > 0 && i < MANY - 1));
		held += found != NULL;
		covprofile_release(found);
	}
	assert_in_range(held, MANY / 20, MANY / 4);
	assert_null(recall(reader, "no such"));
	covprofile_release(profile);
	reader_free(reader);
}

enum { UNITS = 10000 }; /* more than are written at once */

/* A package with nothing but its number of units; its counters are what is looked at. */
static struct covprofile *profile_of_units(struct covpackage *package)
{
	struct covprofile *profile = covprofile_new(NULL);
	struct covmeta meta = {.mode = COUNTER_MODE_COUNT, .packages = &package, .n_packages = 1};
	struct error err = {0};
	size_t first;

	assert_non_null(profile);
	assert_int_equal(covprofile_add_program(profile, &meta, &first, &err), 0);
	assert_int_equal(profile->n_counters, UNITS);
	return profile;
}

static void what_is_recalled_is_what_was_remembered(void **state)
{
	struct covpackage package = {.n_units = UNITS};
	struct reader *reader = reader_new(1 << 20, NULL);
	struct covprofile *profile, *found;
	unsigned random = 1, round, i;
	char digest[33];

	(void)state;
	atomic_init(&package.users, 1);
	profile = profile_of_units(&package);
	for (round = 0; round <= 32; round++) { /* from counters that are 0 to the largest ones */
		for (i = 0; i < UNITS; i++)
			profile->counters[i] =
			    round ? (uint32_t)(rand_r(&random) * 2.0) >> (32 - round) : 0;
		snprintf(digest, sizeof digest, "%032u", round);
		reader_remember(reader, profile, digest);
		found = recall(reader, digest);
		assert_non_null(found);
		assert_ptr_not_equal(found, profile);
		assert_int_equal(found->n_counters, UNITS);
		assert_int_equal(found->mode, COUNTER_MODE_COUNT);
		assert_int_equal(covprofile_find(found, &package), 0);
		assert_memory_equal(found->counters, profile->counters,
				    UNITS * sizeof *found->counters);
		covprofile_release(found);
	}
	covprofile_release(profile);
	reader_free(reader);
	assert_int_equal(atomic_load(&package.users), 1);
}

/* --- many threads ---------------------------------------------------------------------------- */

struct crowd {
	struct reader *reader;
	const char *dir;
	atomic_int written; /* files that are there for sure */
	atomic_int wrong;
	atomic_bool over;
};

/* Every answer counts the files that were there before it was asked for, and none that can't be. */
static void *ask(void *arg)
{
	struct crowd *crowd = arg;

	while (!atomic_load(&crowd->over)) {
		int before = atomic_load(&crowd->written), after, counted;
		cleanup_free char *text = text_of(crowd->reader, crowd->dir);
		const char *last = text ? strrchr(text, ' ') : NULL;

		after = atomic_load(&crowd->written) + 1;
		counted = last ? atoi(last + 1) : -1;
		if (counted < before || counted > after)
			atomic_fetch_add(&crowd->wrong, 1);
	}
	return NULL;
}

static void crowd_of(size_t budget, const char *name)
{
	enum { ASKERS = 4, FILES = 200 };
	struct crowd crowd = {.reader = reader_new(budget, NULL), .dir = make_dir(name)};
	pthread_t threads[ASKERS];
	int i;

	put_meta(crowd.dir, TAG_A, one_package, COUNTER_MODE_COUNT);
	for (i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &crowd), 0);
	for (i = 0; i < FILES; i++) {
		char path[600], aside[600];

		put_counters(scratch, TAG_A, i, 1);
		snprintf(aside, sizeof aside, "%s/covcounters.%s.%d.1", scratch, TAG_A, i);
		snprintf(path, sizeof path, "%s/covcounters.%s.%d.1", crowd.dir, TAG_A, i);
		assert_int_equal(rename(aside, path), 0);
		atomic_fetch_add(&crowd.written, 1);
	}
	atomic_store(&crowd.over, true);
	for (i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&crowd.wrong), 0);
	expect_text(crowd.reader, crowd.dir, "mode: count\nexample.org/a/f.go:1.2,2.3 1 200\n");
	reader_free(crowd.reader);
}

static void crowd_with_state(void **state)
{
	(void)state;
	crowd_of(1 << 20, "crowd");
}

static void crowd_with_little_room(void **state)
{
	(void)state;
	crowd_of(3000, "small-crowd");
}

static void crowd_without_state(void **state)
{
	(void)state;
	crowd_of(0, "forgetful-crowd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums),
	    cmocka_unit_test(changes_from_elsewhere),
	    cmocka_unit_test(changes_of_known_files),
	    cmocka_unit_test(no_data),
	    cmocka_unit_test(too_late),
	    cmocka_unit_test(nothing_has_happened),
	    cmocka_unit_test(running_with_state),
	    cmocka_unit_test(running_with_little_room),
	    cmocka_unit_test(running_without_state),
	    cmocka_unit_test(running_damaged),
	    cmocka_unit_test(many_skips),
	    cmocka_unit_test(findings),
	    cmocka_unit_test(remembering),
	    cmocka_unit_test(what_is_recalled_is_what_was_remembered),
	    cmocka_unit_test(crowd_with_state),
	    cmocka_unit_test(crowd_with_little_room),
	    cmocka_unit_test(crowd_without_state),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
