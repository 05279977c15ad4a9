/* The built-in reader's decoding of numbers and strings, the order of units, numbers as text. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cgi/format/byte_reader.h"
#include "cgi/format/covpackage.h"
#include "cgi/format/string_table.h"
#include "cgi/format/unit_order.h"
#include "cgi/text/text_out.h"
#include "made_coverage.h"

static void numbers(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint64_t value;
		bool failed;
	} cases[] = {
	    {"\x00", 1, 0, false},
	    {"\x7f", 1, 127, false},
	    {"\x80\x01", 2, 128, false},
	    {"\xff\xff\xff\xff\x0f", 5, UINT32_MAX, false},
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX, false},
	    {"\x85\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 13, 5, false},
	    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 11, 0, false},
	    {"", 0, 0, true},
	    {"\x80", 1, 0, true},
	    {"\xff\xff", 2, 0, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct byte_reader r = byte_reader_on(cases[i].bytes, cases[i].len);

		assert_true(byte_reader_uleb(&r) == cases[i].value);
		assert_int_equal(r.failed, cases[i].failed);
		assert_int_equal(byte_reader_left(&r), 0);
	}
}

static void past_the_end(void **state)
{
	struct byte_reader r = byte_reader_on("abcdefg", 7);

	(void)state;
	assert_int_equal(byte_reader_u32(&r), 0x64636261);
	assert_false(r.failed);
	assert_int_equal(byte_reader_u32(&r), 0);
	assert_true(r.failed);
	assert_null(byte_reader_take(&r, 1));
	assert_non_null(byte_reader_take(&r, 0));
	r = byte_reader_on("abcdefg", 7);
	assert_null(byte_reader_take(&r, UINT64_MAX));
	assert_int_equal(byte_reader_u64(&r), 0);
}

static void strings(void **state)
{
	cleanup_string_table struct string_table table = STRING_TABLE_INIT;
	struct byte_reader r = byte_reader_on("\3\0\2ab\1c!", 8);
	struct error err;

	(void)state;
	assert_int_equal(string_table_read(&table, &r, &err), 0);
	assert_int_equal(table.n, 3);
	assert_int_equal(table.strings[0].len, 0);
	assert_memory_equal(table.strings[1].text, "ab", 2);
	assert_true(string_ref_compare(table.strings[1], table.strings[2]) < 0);
	assert_true(string_ref_compare(table.strings[0], table.strings[1]) < 0);
	assert_int_equal(*r.at, '!');
}

static void damaged_strings(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
	    {"", 0},
	    {"\1", 1},
	    {"\1\2a", 3},
	    {"\2\1a", 3},
	    {"\xff\xff\xff\xff\x0f\0", 6},
	    {"\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_string_table struct string_table table = STRING_TABLE_INIT;
		struct byte_reader r = byte_reader_on(cases[i].bytes, cases[i].len);
		struct error err = {0};

		assert_int_equal(string_table_read(&table, &r, &err), -1);
		assert_int_equal(err.class, ERROR_INTERNAL);
	}
}

static void decimals(void **state)
{
	char expected[16], got[16];
	uint64_t value;

	(void)state;
	for (value = 0; value <= UINT32_MAX; value += value < 100000 ? 1 : value / 97) {
		snprintf(expected, sizeof expected, "%u", (uint32_t)value);
		*text_put_decimal(got, (uint32_t)value) = '\0';
		assert_string_equal(got, expected);
		assert_int_equal(text_decimal_length((uint32_t)value), strlen(expected));
	}
	assert_int_equal(text_decimal_length(UINT32_MAX), 10);
	*text_put_decimal(got, UINT32_MAX) = '\0';
	assert_string_equal(got, "4294967295");
}

/* --- the order of units ---------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Many are equal; some orders are nearly right at first, as Go's are. */
static void make_units(struct covunit *units, uint32_t *order, size_t n, uint32_t *seed,
		       bool nearly)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t line =
		    nearly ? (uint32_t)i / 3 + next_random(seed) % 3 : next_random(seed) % 9;

		units[i] =
		    (struct covunit){line, next_random(seed) % 3, line + next_random(seed) % 2,
				     next_random(seed) % 3, next_random(seed) % 2};
		order[i] = (uint32_t)i;
	}
}

static void check_order(const uint32_t *order, size_t n, const struct covunit *units,
			const uint32_t *rank)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += order[i];
	assert_true(sum == (uint64_t)n * (n ? n - 1 : 0) / 2);
	for (i = 1; i < n; i++) {
		uint32_t a = order[i - 1], b = order[i];
		int compared = covunit_compare(&units[a], &units[b]);

		assert_true(compared <= 0);
		if (compared == 0 && rank)
			assert_true(rank[a] < rank[b] || (rank[a] == rank[b] && a < b));
		else if (compared == 0)
			assert_true(a < b);
	}
}

static void orders(void **state)
{
	enum { MOST = 1000 };
	struct covunit *units = malloc(MOST * sizeof *units);
	uint32_t *order = malloc(MOST * sizeof *order), *scratch = malloc(MOST * sizeof *scratch);
	uint32_t *rank = malloc(MOST * sizeof *rank), seed = 1;
	size_t n, i;

	(void)state;
	for (n = 0; n < MOST; n = n < 70 ? n + 1 : n + 97) {
		make_units(units, order, n, &seed, n % 2);
		unit_order_sort(order, scratch, n, units, NULL);
		check_order(order, n, units, NULL);
		make_units(units, order, n, &seed, n % 2);
		for (i = 0; i < n; i++)
			rank[i] = next_random(&seed) % 3;
		unit_order_sort(order, scratch, n, units, rank);
		check_order(order, n, units, rank);
	}
	free(units);
	free(order);
	free(scratch);
	free(rank);
}

static void order_of_fields(void **state)
{
	/* each differs from the next in one field; the end line counts before the start column */
	static const struct covunit sorted[] = {
	    {1, 9, 9, 9, 9}, {2, 9, 1, 9, 9}, {2, 1, 2, 9, 9},		{2, 2, 2, 1, 9},
	    {2, 2, 2, 2, 1}, {2, 2, 2, 2, 2}, {UINT32_MAX, 0, 0, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 1; i < sizeof sorted / sizeof *sorted; i++) {
		assert_true(covunit_compare(&sorted[i - 1], &sorted[i]) < 0);
		assert_true(covunit_compare(&sorted[i], &sorted[i - 1]) > 0);
	}
	assert_int_equal(covunit_compare(&sorted[0], &sorted[0]), 0);
}

/* --- packages -------------------------------------------------------------------------------- */

static struct covpackage *decode(const struct buffer *blob, struct error *err)
{
	uint8_t *copy = malloc(blob->len ? blob->len : 1);

	memcpy(copy, blob->data, blob->len);
	return covpackage_decode(copy, blob->len, err);
}

static void package(void **state)
{
	cleanup_buffer struct buffer blob = BUFFER_INIT;
	cleanup_covpackage struct covpackage *package = NULL;
	struct covfunction_name name;
	struct covunit unit;
	struct error err;

	(void)state;
	make_blob(&blob, "example.org/p");
	package = decode(&blob, &err);
	assert_non_null(package);
	assert_int_equal(package->n_functions, 1);
	assert_int_equal(package->n_units, 1);
	assert_int_equal(package->n_files, 1);
	assert_int_equal(package->import_path.len, 13);
	assert_memory_equal(package->files[0].text, "example.org/p/f.go", 18);
	covpackage_units(package, &unit);
	assert_int_equal(unit.start_line, 1);
	assert_int_equal(unit.end_line, 2);
	assert_int_equal(covpackage_names(package, &name, &err), 0);
	assert_memory_equal(name.name.text, "f", 1);
	assert_false(name.literal);
	assert_false(covpackage_is_cut(package));
}

/* Go 1.24 computes the hash in the blob in another way: the content is what counts. */
static void hash_field(void **state)
{
	cleanup_buffer struct buffer blob = BUFFER_INIT;
	uint64_t before;
	size_t i;

	(void)state;
	make_blob(&blob, "example.org/p");
	before = covpackage_content_hash((uint8_t *)blob.data, blob.len);
	for (i = 0; i < blob.len; i++) {
		bool of_hash = i >= COVBLOB_AT_HASH && i < COVBLOB_AT_HASH + COVERAGE_HASH_SIZE;

		blob.data[i] ^= 1;
		assert_int_equal(covpackage_content_hash((uint8_t *)blob.data, blob.len) == before,
				 of_hash);
		blob.data[i] ^= 1;
	}
}

/* As in covdata the first impossible offset of a function ends the package. */
static void cut_package(void **state)
{
	cleanup_buffer struct buffer blob = BUFFER_INIT;
	cleanup_covpackage struct covpackage *package = NULL;
	struct error err;

	(void)state;
	make_blob(&blob, "example.org/p");
	blob.data[COVBLOB_HEADER_SIZE] = 1;
	package = decode(&blob, &err);
	assert_non_null(package);
	assert_int_equal(package->n_functions, 0);
	assert_true(covpackage_is_cut(package));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers),	       cmocka_unit_test(past_the_end),
	    cmocka_unit_test(strings),	       cmocka_unit_test(damaged_strings),
	    cmocka_unit_test(decimals),	       cmocka_unit_test(orders),
	    cmocka_unit_test(order_of_fields), cmocka_unit_test(package),
	    cmocka_unit_test(hash_field),      cmocka_unit_test(cut_package),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
