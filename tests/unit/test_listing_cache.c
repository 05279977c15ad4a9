/* Listings that are kept are those that would be made now. */
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "tests/lib/listing.h"

#define TAG "0123456789abcdef0123456789abcdef"

enum { BUDGET = 1 << 20, FILES = 300 };

/* In memory, which every machine can watch; what the tests' scratch lies on, nobody knows. */
static char dir[64];

static const char *in_dir(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/dev/shm/goverage-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

static void read_set(struct reader *reader, const char *gocoverdir, struct coverage_set *set)
{
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct error err = {0};

	if (listing_read(reader, set, gocoverdir, &deadline, &err) < 0)
		fail_msg("%s", err.message);
}

static void expect_equal(const struct coverage_set *a, const struct coverage_set *b)
{
	size_t i;

	assert_int_equal(a->n_files, b->n_files);
	assert_int_equal(a->n_meta, b->n_meta);
	assert_int_equal(a->n_counters, b->n_counters);
	assert_int_equal(a->dirs.n, b->dirs.n);
	for (i = 0; i < a->dirs.n; i++)
		assert_string_equal(a->dirs.items[i].text, b->dirs.items[i].text);
	for (i = 0; i < a->n_files; i++) {
		assert_string_equal(a->files[i].name, b->files[i].name);
		assert_int_equal(a->files[i].dir, b->files[i].dir);
		assert_int_equal(a->files[i].kind, b->files[i].kind);
		assert_int_equal(a->files[i].pid, b->files[i].pid);
		assert_int_equal(a->files[i].time_ns, b->files[i].time_ns);
	}
}

/* Twice the same as without a reader that keeps anything: at first it may be made, then it may be
 * kept. */
static void expect_right(struct reader *reader, const char *gocoverdir, size_t n_files)
{
	cleanup_with(coverage_set_free) struct coverage_set fresh = COVERAGE_SET_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct error err = {0};
	int i;

	assert_int_equal(coverage_set_list(&fresh, gocoverdir, &deadline, &err), 0);
	assert_int_equal(fresh.n_files, n_files);
	for (i = 0; i < 3; i++) {
		cleanup_with(coverage_set_free) struct coverage_set set = COVERAGE_SET_INIT;

		read_set(reader, gocoverdir, &set);
		expect_equal(&set, &fresh);
	}
}

static void put(const char *name)
{
	write_file(in_dir(name), "", 0);
}

static void every_change_is_seen(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	char one[160], two[160];

	(void)state;
	snprintf(one, sizeof one, "%s/covcounters.%s.1.1", dir, TAG);
	snprintf(two, sizeof two, "%s/covcounters.%s.2.2", dir, TAG);
	expect_right(reader, dir, 0);
	put("covmeta." TAG);
	expect_right(reader, dir, 1);
	put("tmp.1"); /* as Go writes them */
	assert_int_equal(rename(in_dir("tmp.1"), one), 0);
	expect_right(reader, dir, 2);
	assert_int_equal(rename(one, two), 0);
	expect_right(reader, dir, 2);
	assert_int_equal(unlink(two), 0);
	expect_right(reader, dir, 1);
	assert_int_equal(symlink("nowhere", one), 0);
	expect_right(reader, dir, 2);
	assert_int_equal(unlink(one), 0);
	assert_int_equal(mkdir(one, 0700), 0); /* of a name that files have */
	expect_right(reader, dir, 1);
	reader_free(reader);
}

/* Names come and go in any order, in two directories, some of them several at once. */
static void many_changes(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	bool is_there[2][40] = {{false}};
	char both[160], name[160];
	unsigned seed = 1;
	size_t n = 0, i;

	(void)state;
	assert_int_equal(mkdir(in_dir("second"), 0700), 0);
	snprintf(both, sizeof both, "%s,%s/second", dir, dir);
	for (i = 0; i < 1000; i++) {
		unsigned number = seed >> 16, which = number & 1, pid = (number >> 1) % 40;

		seed = seed * 1103515245 + 12345;
		snprintf(name, sizeof name, "%s%s/cov%s.%s%s%u%s", dir, which ? "/second" : "",
			 pid % 4 ? "counters" : "meta", TAG, pid % 4 ? "." : "", pid,
			 pid % 4 ? ".1" : "");
		if (!(pid % 4)) /* one hash for each */
			snprintf(strrchr(name, '.') + 1, 34, "%032u", pid);
		if (is_there[which][pid])
			assert_int_equal(unlink(name), 0);
		else
			write_file(name, "", 0);
		n += is_there[which][pid] ? -1 : 1;
		is_there[which][pid] = !is_there[which][pid];
		if (number % 3 == 0)
			expect_right(reader, both, n);
	}
	reader_free(reader);
}

/* More than the watch tells one by one. */
static void very_many_at_once(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	char name[80];
	int i;

	(void)state;
	expect_right(reader, dir, 0);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "covcounters." TAG ".%d.1", i);
		put(name);
	}
	expect_right(reader, dir, 200);
	reader_free(reader);
}

/* Asked again; the generation is another one if anything has happened, and the file's as well. */
static uint64_t generation_now(struct reader *reader, const char *name, uint64_t *changed)
{
	cleanup_with(coverage_set_free) struct coverage_set set = COVERAGE_SET_INIT;
	size_t i;

	read_set(reader, dir, &set);
	for (*changed = 0, i = 0; i < set.n_files; i++)
		if (strcmp(set.files[i].name, name) == 0)
			*changed = set.files[i].changed;
	return set.generation;
}

static void generations(void **state)
{
	static const char one[] = "covcounters." TAG ".1.1", two[] = "covcounters." TAG ".2.1";
	struct reader *reader = reader_new(BUDGET, NULL), *none = reader_new(0, NULL);
	uint64_t first, second, third, of_one, of_two;

	(void)state;
	put(one);
	first = generation_now(reader, one, &of_one);
	assert_true(first > 0 && of_one == first);
	assert_int_equal(generation_now(reader, one, &of_one), first);
	put(two);
	second = generation_now(reader, one, &of_one);
	assert_true(second > first && of_one == first);
	put(one); /* the same bytes, but who knows */
	third = generation_now(reader, one, &of_one);
	assert_true(third > second && of_one == third);
	assert_int_equal(generation_now(reader, two, &of_two), third);
	assert_int_equal(of_two, second);
	put("tmp"); /* nothing to us; it need not be known */
	generation_now(reader, two, &of_two);
	assert_int_equal(of_two, second);
	assert_int_equal(unlink(in_dir(one)), 0);
	assert_true(generation_now(reader, one, &of_one) > third && !of_one);
	assert_true(!generation_now(none, two, &of_two) && !of_two);
	reader_free(reader);
	reader_free(none);
}

/* What can't be watched is another generation each time. */
static void without_a_watch(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	uint64_t last = 0;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		cleanup_with(coverage_set_free) struct coverage_set set = COVERAGE_SET_INIT;

		read_set(reader, "/proc/self", &set);
		assert_true(set.generation > last);
		last = set.generation;
	}
	reader_free(reader);
}

static void another_directory_in_its_place(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	char moved[80];

	(void)state;
	snprintf(moved, sizeof moved, "%s-moved", dir);
	put("covmeta." TAG);
	expect_right(reader, dir, 1);
	assert_int_equal(rename(dir, moved), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	expect_right(reader, dir, 0);
	expect_right(reader, moved, 1);
	remove_tree(dir);
	assert_int_equal(symlink(moved, dir), 0);
	expect_right(reader, dir, 1);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(rename(moved, dir), 0);
	expect_right(reader, dir, 1);
	reader_free(reader);
}

/* The directory stays what it is, and so does the name under which it is asked for. */
static void another_path_of_the_same_directory(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	char link[80];

	(void)state;
	snprintf(link, sizeof link, "%s-link", dir);
	assert_int_equal(mkdir(in_dir("a"), 0700), 0);
	assert_int_equal(mkdir(in_dir("a/coverage"), 0700), 0);
	put("a/coverage/covmeta." TAG);
	assert_int_equal(symlink(in_dir("a/coverage"), link), 0);
	expect_right(reader, link, 1);
	assert_int_equal(rename(in_dir("a"), in_dir("b")), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(in_dir("b/coverage"), link), 0);
	expect_right(reader, link, 1);
	assert_int_equal(unlink(link), 0);
	reader_free(reader);
}

static void more_directories_than_places(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	int round, i;

	(void)state;
	for (round = 0; round < 2; round++)
		for (i = 0; i < 6; i++) {
			char name[16], path[160];

			snprintf(name, sizeof name, "dir%d", i);
			snprintf(path, sizeof path, "%s/%s,%s", dir, name, dir);
			if (!round)
				assert_int_equal(mkdir(in_dir(name), 0700), 0);
			expect_right(reader, path, 0);
		}
	reader_free(reader);
}

static void errors(void **state)
{
	struct reader *reader = reader_new(BUDGET, NULL);
	struct coverage_set set = COVERAGE_SET_INIT;
	struct deadline passed = {1, -1};
	struct error err = {0};

	(void)state;
	assert_int_equal(listing_read(reader, &set, in_dir("no"), &passed, &err), -1);
	assert_int_equal(err.class, ERROR_UNAVAILABLE);
	coverage_set_free(&set);
	put("covmeta." TAG);
	assert_int_equal(listing_read(reader, &set, dir, &passed, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	coverage_set_free(&set);
	expect_right(reader, dir, 1);
	reader_free(reader);
}

static void without_room(void **state)
{
	struct reader *none = reader_new(0, NULL), *little = reader_new(64, NULL);

	(void)state;
	put("covmeta." TAG);
	expect_right(none, dir, 1);
	expect_right(little, dir, 1);
	reader_free(none);
	reader_free(little);
}

/* --- many threads ---------------------------------------------------------------------------- */

struct crowd {
	struct reader *reader;
	atomic_int made; /* files that are certainly there */
	atomic_bool failed;
};

/* Whatever was there before the question must be in the answer. */
static void *ask(void *crowd_)
{
	struct crowd *crowd = crowd_;

	while (atomic_load(&crowd->made) < FILES) {
		cleanup_with(coverage_set_free) struct coverage_set set = COVERAGE_SET_INIT;
		struct deadline deadline = deadline_in_ms(60000, -1);
		struct error err = {0};
		int before = atomic_load(&crowd->made);

		if (listing_read(crowd->reader, &set, dir, &deadline, &err) < 0 ||
		    set.n_counters < (size_t)before)
			atomic_store(&crowd->failed, true);
	}
	return NULL;
}

static void what_is_there_is_never_missed(void **state)
{
	struct crowd crowd = {reader_new(BUDGET, NULL), 0, false};
	pthread_t threads[4];
	char name[80];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &crowd), 0);
	for (i = 1; i <= FILES; i++) {
		snprintf(name, sizeof name, "covcounters." TAG ".%d.1", i);
		put(name);
		atomic_store(&crowd.made, i);
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(crowd.failed);
	expect_right(crowd.reader, dir, FILES);
	reader_free(crowd.reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_change_is_seen, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(many_changes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(very_many_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(generations, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(without_a_watch, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_directory_in_its_place, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_path_of_the_same_directory, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(more_directories_than_places, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(errors, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(without_room, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_there_is_never_missed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
