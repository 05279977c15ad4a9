/* Baselines: their names and times, what is in them, and that the latest one counts as a whole. */
#include "scratch.h"

#include <sys/stat.h>

#include "cgi/baseline/baseline.h"
#include "cgi/baseline/baseline_make.h"
#include "cgi/baseline/baseline_store.h"
#include "cgi/format/covcounters_writer.h"
#include "made_coverage.h"

static struct settings settings;

/* A coverage directory of its own for one test, and the state directory beside it. */
struct place {
	char dir[256];
	struct string_list dirs;
	struct state_dir state;
	struct deadline deadline;
	struct error err;
};

static void open_place(struct place *p, const char *name)
{
	*p = (struct place){.state = STATE_DIR_INIT, .deadline = deadline_in_ms(60000, -1)};
	snprintf(p->dir, sizeof p->dir, "%s", in_scratch(name));
	assert_int_equal(mkdir(p->dir, 0700), 0);
	assert_int_equal(string_list_add(&p->dirs, p->dir, strlen(p->dir)), 0);
	assert_int_equal(
	    state_dir_open_locked(&p->state, &settings, &p->dirs, &p->deadline, &p->err), 0);
}

static void close_place(struct place *p)
{
	state_dir_close(&p->state);
	string_list_free(&p->dirs);
}

static int64_t make_of(struct place *p, const struct string_list *services)
{
	cleanup_collection struct collection collection = COLLECTION_INIT;
	struct query query = {.service = *services};
	cleanup_selection struct selection selection = SELECTION_INIT;
	struct baseline_made made = {0};

	assert_int_equal(selection_begin(&selection, &query, &p->err), 0);
	assert_int_equal(coverage_set_list(&collection.set, p->dir, &p->deadline, &p->err), 0);
	assert_int_equal(
	    baseline_make(&made, &p->state, &collection, &selection, &p->deadline, &p->err), 0);
	return made.set_ns;
}

static int64_t make(struct place *p)
{
	const struct string_list all = STRING_LIST_INIT;

	return make_of(p, &all);
}

static void read_back(struct place *p, struct baseline_cache *cache, struct baseline *baseline)
{
	const struct live_report none = LIVE_REPORT_INIT;
	const struct query all = QUERY_INIT;
	cleanup_selection struct selection selection = SELECTION_INIT;
	struct reader *reader = reader_new(0, &p->err);

	assert_non_null(reader);
	assert_int_equal(selection_begin(&selection, &all, &p->err), 0);
	assert_int_equal(baseline_read(baseline, cache, reader, &settings, &p->dirs, &selection,
				       &none, &p->deadline, &p->err),
			 0);
	reader_free(reader);
}

/* --- coverage files -------------------------------------------------------------------------- */

static void put(const struct place *p, const char *name, const struct buffer *bytes)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", p->dir, name);
	write_file(path, bytes->data, bytes->len);
}

static void put_meta(const struct place *p, const char *name, const char *const *packages)
{
	cleanup_buffer struct buffer bytes = BUFFER_INIT;

	make_meta(&bytes, packages, COUNTER_MODE_COUNT);
	put(p, name, &bytes);
}

/* Function 0 of package 0 ran `count` times. */
static void put_counters(const struct place *p, const char *name, uint32_t count)
{
	cleanup_counter_entries struct counter_entries entries = COUNTER_ENTRIES_INIT;
	cleanup_string_list struct string_list argv = STRING_LIST_INIT;
	cleanup_buffer struct buffer bytes = BUFFER_INIT;

	assert_int_equal(string_list_add(&argv, "/bin/a", 6), 0);
	counter_entries_add(&entries, 0, 0, &count, 1);
	covcounters_write(&bytes, (const unsigned char *)"0123456789abcdef", &argv, "amd64",
			  &entries);
	put(p, name, &bytes);
}

static const char *const prog_a[] = {"example.com/lib", "example.com/a", NULL};
static const char *const prog_b[] = {"example.com/lib", "example.com/b", NULL};

/* --- names and times ------------------------------------------------------------------------- */

static void times(void **state)
{
	char text[BASELINE_TIME_SIZE];

	(void)state;
	baseline_time(text, INT64_C(1795366594771386830));
	assert_string_equal(text, "2026-11-22T16:56:34Z");
	baseline_time(text, INT64_MAX);
	assert_string_equal(text, "2262-04-11T23:47:16Z");
}

/* What looks like a baseline, and is none, or is for other directories. */
static void names(void **state)
{
	static const char *const others[][2] = {
	    {"baseline.", "."},	  {"baseline.", ".x"},	{"baseline.", ".7x"},
	    {"baseline.", ".07"}, {"baseline.", ". 7"}, {"baseline.", ".99999999999999999999"},
	    {"baseline.", ".-7"}, {"baseline.", ".0"},	{"baseline.", "x.7"},
	    {"baseline0.", ".7"}, {"new.", ""},
	};
	char key[BASELINE_KEY_SIZE], name[80];
	struct place p;
	size_t i;

	(void)state;
	open_place(&p, "names");
	baseline_key(key, &p.dirs);
	assert_int_equal(baseline_latest(&p.state, key, &p.err), 0);
	for (i = 0; i < sizeof others / sizeof *others; i++) {
		snprintf(name, sizeof name, "%s%s%s", others[i][0], key, others[i][1]);
		assert_int_equal(mkdirat(p.state.fd, name, 0700), 0);
		assert_int_equal(baseline_latest(&p.state, key, &p.err), 0);
	}
	for (i = 8; i < 12; i++) {
		baseline_name(name, key, (int64_t)i);
		assert_int_equal(mkdirat(p.state.fd, name, 0700), 0);
	}
	assert_int_equal(baseline_latest(&p.state, key, &p.err), 11);
	assert_int_equal(baseline_latest(&p.state, "0123456789abcdef", &p.err), 0);
	close_place(&p);
}

/* One that claims to be of the future does not stay the latest. */
static void clock_was_set_back(void **state)
{
	const int64_t future = INT64_C(4000000000000000000);
	char key[BASELINE_KEY_SIZE], name[BASELINE_NAME_SIZE];
	struct stat st;
	struct place p;

	(void)state;
	open_place(&p, "future");
	baseline_key(key, &p.dirs);
	baseline_name(name, key, future);
	assert_int_equal(mkdirat(p.state.fd, name, 0700), 0);
	assert_int_equal(make(&p), future + 1);
	assert_int_equal(baseline_latest(&p.state, key, &p.err), future + 1);
	assert_int_equal(fstatat(p.state.fd, name, &st, 0), -1);
	close_place(&p);
}

/* --- what is in one -------------------------------------------------------------------------- */

static void saturates(void **state)
{
	cleanup_baseline struct baseline baseline = BASELINE_INIT;
	struct baseline_cache *cache = baseline_cache_new(false);
	struct place p;

	(void)state;
	open_place(&p, "saturates");
	put_meta(&p, "covmeta." TAG_A, prog_a);
	put_counters(&p, "covcounters." TAG_A ".1.1", UINT32_MAX - 1);
	put_counters(&p, "covcounters." TAG_A ".2.1", 7);
	make(&p);
	read_back(&p, cache, &baseline);
	assert_non_null(baseline.profile);
	assert_int_equal(baseline.profile->n_counters, 2);
	assert_int_equal(baseline.profile->counters[0], UINT32_MAX);
	assert_int_equal(baseline.profile->counters[1], 0);
	baseline_cache_free(cache);
	close_place(&p);
}

/* A package of two programs: each brings its own counts. */
static void shared_package(void **state)
{
	cleanup_baseline struct baseline baseline = BASELINE_INIT;
	struct baseline_cache *cache = baseline_cache_new(false);
	struct place p;

	(void)state;
	open_place(&p, "shared");
	put_meta(&p, "covmeta." TAG_A, prog_a);
	put_meta(&p, "covmeta." TAG_B, prog_b);
	put_counters(&p, "covcounters." TAG_A ".1.1", 3);
	put_counters(&p, "covcounters." TAG_B ".2.1", 4);
	make(&p);
	read_back(&p, cache, &baseline);
	assert_int_equal(baseline.profile->n_parts, 3);
	assert_int_equal(baseline.profile->counters[0], 7);
	baseline_cache_free(cache);
	close_place(&p);
}

/* A damaged file, and one without meta-data, cost themselves. */
static void damaged_files(void **state)
{
	cleanup_baseline struct baseline baseline = BASELINE_INIT;
	struct baseline_cache *cache = baseline_cache_new(false);
	cleanup_buffer struct buffer junk = BUFFER_INIT;
	struct place p;

	(void)state;
	open_place(&p, "damaged");
	buffer_puts(&junk, "junk");
	put_meta(&p, "covmeta." TAG_A, prog_a);
	put(&p, "covmeta." TAG_B, &junk);
	put_counters(&p, "covcounters." TAG_A ".1.1", 3);
	put(&p, "covcounters." TAG_A ".2.1", &junk);
	put_counters(&p, "covcounters." TAG_B ".3.1", 4);
	put_counters(&p, "covcounters.ab.4.1", 4);
	make(&p);
	read_back(&p, cache, &baseline);
	assert_int_equal(baseline.profile->n_counters, 2);
	assert_int_equal(baseline.profile->counters[0], 3);
	baseline_cache_free(cache);
	close_place(&p);
}

static void empty(void **state)
{
	cleanup_baseline struct baseline baseline = BASELINE_INIT;
	struct baseline_cache *cache = baseline_cache_new(true);
	struct place p;
	int64_t set_ns;

	(void)state;
	open_place(&p, "empty");
	read_back(&p, cache, &baseline);
	assert_int_equal(baseline.set_ns, 0);
	assert_int_equal(baseline_fingerprint(&baseline, 5), 5);
	set_ns = make(&p);
	read_back(&p, cache, &baseline);
	assert_int_equal(baseline.set_ns, set_ns);
	assert_null(baseline.profile);
	assert_int_not_equal(baseline_fingerprint(&baseline, 5), 5);
	baseline_cache_free(cache);
	close_place(&p);
}

/* --- what is kept of it in memory ------------------------------------------------------------ */

static void keeping(void **state)
{
	cleanup_baseline struct baseline first = BASELINE_INIT, again = BASELINE_INIT,
					 next = BASELINE_INIT;
	struct baseline_cache *cache = baseline_cache_new(true);
	struct place p;

	(void)state;
	open_place(&p, "keeping");
	put_meta(&p, "covmeta." TAG_A, prog_a);
	put_counters(&p, "covcounters." TAG_A ".1.1", 3);
	make(&p);
	read_back(&p, cache, &first);
	read_back(&p, cache, &again);
	assert_ptr_equal(first.profile, again.profile);
	assert_int_equal(baseline_fingerprint(&first, 5), baseline_fingerprint(&again, 5));
	put_counters(&p, "covcounters." TAG_A ".2.1", 1);
	make(&p);
	read_back(&p, cache, &next);
	assert_int_equal(next.profile->counters[0], 4);
	assert_int_equal(first.profile->counters[0], 3);
	assert_true(next.set_ns > first.set_ns);
	assert_int_not_equal(baseline_fingerprint(&first, 5), baseline_fingerprint(&next, 5));
	baseline_cache_free(cache);
	close_place(&p);
}

/* --- the state directory --------------------------------------------------------------------- */

static void default_place(void **state)
{
	struct state_dir other = STATE_DIR_INIT;
	char expected[300];
	struct stat st;
	struct place p;

	(void)state;
	open_place(&p, "default");
	snprintf(expected, sizeof expected, "%s.goverage-state", p.dir);
	assert_string_equal(p.state.path, expected);
	assert_int_equal(fstat(p.state.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* who only reads needs no lock */
	assert_int_equal(state_dir_open(&other, &settings, &p.dirs, &p.err), 0);
	assert_true(other.fd >= 0);
	state_dir_close(&other);
	close_place(&p);
}

/* The lock is held by one at a time, threads of one process included. */
static void one_writer(void **state)
{
	struct state_dir second = STATE_DIR_INIT;
	struct deadline soon = deadline_in_ms(50, -1);
	struct place p;

	(void)state;
	open_place(&p, "one-writer");
	assert_int_equal(state_dir_open_locked(&second, &settings, &p.dirs, &soon, &p.err), -1);
	assert_int_equal(p.err.class, ERROR_TIMEOUT);
	state_dir_close(&second);
	state_dir_close(&p.state);
	assert_int_equal(state_dir_open_locked(&second, &settings, &p.dirs, &p.deadline, &p.err),
			 0);
	state_dir_close(&second);
	close_place(&p);
}

/* Beside the root directory is nothing. */
static void root_is_covered(void **state)
{
	struct state_dir dir = STATE_DIR_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_string_list struct string_list dirs = STRING_LIST_INIT;
	struct error err = {0};

	(void)state;
	assert_int_equal(string_list_add(&dirs, "/", 1), 0);
	assert_int_equal(state_dir_open_locked(&dir, &settings, &dirs, &deadline, &err), -1);
	assert_non_null(strstr(err.message, "lies inside the coverage directory /"));
	state_dir_close(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times),
	    cmocka_unit_test(names),
	    cmocka_unit_test(clock_was_set_back),
	    cmocka_unit_test(saturates),
	    cmocka_unit_test(shared_package),
	    cmocka_unit_test(damaged_files),
	    cmocka_unit_test(empty),
	    cmocka_unit_test(keeping),
	    cmocka_unit_test(default_place),
	    cmocka_unit_test(one_writer),
	    cmocka_unit_test(root_is_covered),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
