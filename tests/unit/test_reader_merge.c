/* The built-in reader: adding a counter file to counters, all of it or nothing. */
#include "unit.h"

#include "cgi/sum/merge.h"
#include "made_coverage.h"

enum {
	UNITS = 3,
	FUNCTIONS = 2,
	PACKAGES = 2,
	COUNTERS = UNITS * FUNCTIONS * PACKAGES + COUNTERS_SLACK
};

/* Two packages of two functions of three units. */
static struct covfunction functions[FUNCTIONS] = {{0, 0, 0, UNITS}, {0, 0, UNITS, UNITS}};
static struct covpackage package = {.claimed_functions = FUNCTIONS,
				    .n_functions = FUNCTIONS,
				    .functions = functions,
				    .n_units = FUNCTIONS * UNITS};
static struct covpackage *packages[PACKAGES] = {&package, &package};
static const size_t first[PACKAGES] = {0, FUNCTIONS *UNITS};

/* A counter file: `entries` of them, as these bytes. */
static void make_file(struct buffer *b, unsigned entries, const char *bytes, size_t len, int flavor,
		      int big_endian)
{
	buffer_append(b, COVCOUNTERS_MAGIC, 4);
	put_le(b, COVERAGE_VERSION, 4);
	buffer_append(b, "0123456789abcdef", 16);
	buffer_putc(b, (char)flavor);
	buffer_putc(b, (char)big_endian);
	put_le(b, 0, 6);
	put_le(b, entries, 8);
	put_le(b, 2, 4);
	put_le(b, 2, 4);
	buffer_append(b, "\1\0\0\0", 4);
	buffer_append(b, bytes, len);
	buffer_append(b, COVCOUNTERS_MAGIC, 4);
	put_le(b, 0, 4);
	put_le(b, 1, 4);
	put_le(b, 0, 4);
}

static int merge_file(const struct buffer *file, const struct merge_sink *sink,
		      struct merge_notes *notes, struct error *err)
{
	struct covmeta meta = {.n_packages = PACKAGES, .packages = packages};
	struct merge_target target = {&meta, first};
	cleanup_merge_work struct merge_work work = MERGE_WORK_INIT;

	return merge_counter_file(&target, (const uint8_t *)file->data, file->len, sink, &work,
				  notes, err);
}

static void merge_bytes(unsigned entries, const char *bytes, size_t len, uint32_t *counters,
			uint64_t ignored)
{
	cleanup_buffer struct buffer file = BUFFER_INIT;
	struct merge_notes notes;
	struct error err;

	make_file(&file, entries, bytes, len, COUNTER_ULEB, 0);
	assert_int_equal(merge_file(&file, &(struct merge_sink){counters, NULL}, &notes, &err), 0);
	assert_int_equal(notes.ignored, ignored);
}

static void expect(const uint32_t *counters, const uint32_t *expected)
{
	assert_memory_equal(counters, expected, COUNTERS * sizeof *counters);
}

#define ENTRY_1 "\3\1\0\1\0\5"	   /* package 1, function 0: 1 0 5 */
#define ENTRY_2 "\3\0\1\xac\2\0\1" /* package 0, function 1: 300 0 1 */

static void sums(void **state)
{
	uint32_t counters[COUNTERS] = {0};

	(void)state;
	merge_bytes(2, ENTRY_1 ENTRY_2, 13, counters, 0);
	expect(counters, (uint32_t[COUNTERS]){0, 0, 0, 300, 0, 1, 1, 0, 5});
	merge_bytes(3, ENTRY_1 ENTRY_1 ENTRY_2, 19, counters, 0);
	expect(counters, (uint32_t[COUNTERS]){0, 0, 0, 600, 0, 2, 3, 0, 15});
}

static void full_counters(void **state)
{
	uint32_t counters[COUNTERS] = {[3] = UINT32_MAX - 300, [5] = UINT32_MAX};

	(void)state;
	merge_bytes(1, ENTRY_2, 7, counters, 0);
	expect(counters, (uint32_t[COUNTERS]){[3] = UINT32_MAX, [5] = UINT32_MAX});
	merge_bytes(1, ENTRY_2, 7, counters, 0);
	expect(counters, (uint32_t[COUNTERS]){[3] = UINT32_MAX, [5] = UINT32_MAX});
}

static void covered_or_not(void **state)
{
	uint8_t marks[COUNTERS] = {1, 0, 0, 0, 1};
	const struct merge_sink sink = {NULL, marks};
	cleanup_buffer struct buffer file = BUFFER_INIT;
	struct merge_notes notes;
	struct error err;
	size_t i;

	(void)state;
	make_file(&file, 3, ENTRY_1 ENTRY_2 ENTRY_1, 19, COUNTER_ULEB, 0);
	assert_int_equal(merge_file(&file, &sink, &notes, &err), 0);
	for (i = 0; i < COUNTERS; i++)
		assert_int_equal(marks[i] != 0, i == 0 || (i > 2 && i < 7) || i == 8);
}

static void raw_counters(void **state)
{
	static const char little[] = "\3\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x2c\1\0\0";
	static const char big[] = "\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1\x2c";
	uint32_t counters[COUNTERS] = {0};
	struct merge_notes notes;
	struct error err;
	int big_endian;

	(void)state;
	for (big_endian = 0; big_endian < 2; big_endian++) {
		cleanup_buffer struct buffer file = BUFFER_INIT;

		make_file(&file, 1, big_endian ? big : little, 24, COUNTER_RAW, big_endian);
		assert_int_equal(
		    merge_file(&file, &(struct merge_sink){counters, NULL}, &notes, &err), 0);
	}
	expect(counters, (uint32_t[COUNTERS]){[6] = 2, [8] = 600});
}

/* No counters at all, and functions that there are not, mean nothing. */
static void odd_entries(void **state)
{
	uint32_t counters[COUNTERS] = {0};

	(void)state;
	merge_bytes(1, "\0\1\0", 3, counters, 0);
	merge_bytes(1, "\1\0\2\7", 4, counters, 0); /* one too many: no warning */
	merge_bytes(2, "\1\0\3\7\1\2\0\7", 8, counters, 2);
	merge_bytes(1, "\1\0\0\7", 4, counters, 1); /* Go 1.23 writes such */
	expect(counters, (uint32_t[COUNTERS]){0});
}

static void nothing_of_a_damaged_file(void **state)
{
	static const struct {
		unsigned entries;
		const char *bytes;
		size_t len;
	} cases[] = {
	    {2, ENTRY_1 "\1\1\0\7", 10},		 /* too few counters */
	    {2, ENTRY_1 "\4\1\0\1\1\1\1", 13},		 /* too many */
	    {2, ENTRY_1 "\4\0\1\1\1\1\1", 13},		 /* in the first package, too */
	    {9, ENTRY_1, 6},				 /* too few entries */
	    {2, ENTRY_1 "\xff\xff\xff\x7f\1\0\7", 13},	 /* a great many counters */
	    {2, ENTRY_1 "\x7f\1\1\x80\x80\x80\x80", 13}, /* a number without an end */
	};
	uint32_t counters[COUNTERS] = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_buffer struct buffer file = BUFFER_INIT;
		struct merge_notes notes;
		struct error err = {0};

		make_file(&file, cases[i].entries, cases[i].bytes, cases[i].len, COUNTER_ULEB, 0);
		assert_int_equal(
		    merge_file(&file, &(struct merge_sink){counters, NULL}, &notes, &err), -1);
		assert_int_equal(err.class, ERROR_INTERNAL);
		assert_false(notes.newer);
		expect(counters, (uint32_t[COUNTERS]){0});
	}
}

static void headers(void **state)
{
	static const struct {
		size_t at;
		int byte;
		bool taken, newer;
	} cases[] = {
	    {0, 'x', false, false},
	    {4, 0, true, false},
	    {4, 2, false, true},
	    {7, 1, false, false},
	    {COVCOUNTERS_AT_HASH, 'x', true, false},
	    {COVCOUNTERS_AT_FLAVOR, 3, false, false},
	    {COVCOUNTERS_AT_BIG_ENDIAN, 1, true, false},
	    {35, 1, false, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_buffer struct buffer file = BUFFER_INIT;
		uint32_t counters[COUNTERS] = {0};
		struct merge_notes notes;
		struct error err;

		make_file(&file, 1, ENTRY_1, 6, COUNTER_ULEB, 0);
		file.data[cases[i].at] = (char)cases[i].byte;
		assert_int_equal(
		    merge_file(&file, &(struct merge_sink){counters, NULL}, &notes, &err),
		    cases[i].taken ? 0 : -1);
		assert_int_equal(notes.newer, cases[i].newer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums),	      cmocka_unit_test(full_counters),
	    cmocka_unit_test(covered_or_not), cmocka_unit_test(raw_counters),
	    cmocka_unit_test(odd_entries),    cmocka_unit_test(nothing_of_a_damaged_file),
	    cmocka_unit_test(headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
