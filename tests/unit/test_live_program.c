/* What a program's registered packages tell. */
#include "made_live.h"

static const uint32_t units[] = {1, 3, 5};

static void identifiers(void **state)
{
	static const struct made_package packages[] = {
	    {"runtime", units, 1, -2}, {"a", units, 3, -1}, {"runtime/x", units, 2, -9}};
	struct program *program = make_program(packages, 3);

	(void)state;
	assert_int_equal(program_package_index(program, 1), 0);
	assert_int_equal(program_package_index(program, 3), 2);
	assert_int_equal(program_package_index(program, 4), -1);
	assert_int_equal(program_package_index(program, INT32_MAX), -1);
	assert_int_equal(program_package_index(program, -2), 0);
	assert_int_equal(program_package_index(program, -9), 2);
	assert_int_equal(program_package_index(program, -3), -1);
	assert_int_equal(program_package_index(program, INT32_MIN), -1);
	assert_int_equal(program->functions, 6);
	program_put(&program);
}

/* Only what belongs to the content decides whether it is the same program. */
static void identity(void **state)
{
	static const struct made_package one[] = {{"a", units, 3, -1}};
	static const struct made_package two[] = {{"b", units, 3, -1}};
	struct program *program = make_program(one, 1);
	struct registration r;

	(void)state;
	make_registration(&r, one, 1, COUNTER_MODE_COUNT, COVERAGE_HASH_FNV);
	r.packages[0].blob_address = 12345;
	assert_true(program_is(program, &r));
	r.packages[0].mode = COUNTER_MODE_SET;
	assert_false(program_is(program, &r));
	registration_free(&r);
	make_registration(&r, two, 1, COUNTER_MODE_COUNT, COVERAGE_HASH_FNV);
	assert_false(program_is(program, &r));
	registration_free(&r);
	program_put(&program);
}

/* Which release's hash it is shows in the blobs. */
static void both_kinds(void **state)
{
	static const struct made_package packages[] = {{"a", units, 3, -1}, {"b", NULL, 0, -1}};
	struct program *md5, *fnv = make_program(packages, 2);
	struct fault fault = FAULT_INIT;
	struct registration r;

	(void)state;
	make_registration(&r, packages, 2, COUNTER_MODE_COUNT, COVERAGE_HASH_MD5);
	md5 = program_new(&r, &fault);
	assert_non_null(md5);
	assert_string_not_equal(md5->hex, fnv->hex);
	program_put(&md5);
	program_put(&fnv);
}

/* Packages that are registered without counters don't set the mode. */
static void mode(void **state)
{
	static const struct made_package packages[] = {{"a", units, 3, -1}, {"b", units, 1, -1}};
	struct fault fault = FAULT_INIT;
	struct program *program;
	struct registration r;

	(void)state;
	make_registration(&r, packages, 2, COUNTER_MODE_REGONLY, COVERAGE_HASH_FNV);
	r.packages[1].mode = COUNTER_MODE_ATOMIC;
	program = program_new(&r, &fault);
	assert_non_null(program);
	assert_int_equal(program->mode, COUNTER_MODE_ATOMIC);
	program_put(&program);
	make_registration(&r, packages, 2, COUNTER_MODE_REGONLY, COVERAGE_HASH_FNV);
	program = program_new(&r, &fault);
	assert_null(program);
	assert_int_equal(fault.kind, FAULT_UNSUPPORTED);
}

static void unknown_hash(void **state)
{
	static const struct made_package packages[] = {{"a", units, 3, -1}};
	struct fault fault = FAULT_INIT;
	struct registration r;

	(void)state;
	make_registration(&r, packages, 1, COUNTER_MODE_COUNT, COVERAGE_HASH_FNV);
	r.blobs[COVBLOB_AT_HASH] ^= 1;
	assert_null(program_new(&r, &fault));
	assert_int_equal(fault.kind, FAULT_UNSUPPORTED);
}

/* Every byte of a blob set to several values: it makes sense or not, but nothing is read
 * beyond it. */
static void damaged_blob(void **state)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
	struct buffer blob = BUFFER_INIT;
	size_t i, k;

	(void)state;
	make_blob(&blob, "a", units, 3, COVERAGE_HASH_FNV);
	for (i = 0; i < blob.len * sizeof values; i++) {
		unsigned char *copy = malloc(blob.len), hash[COVERAGE_HASH_SIZE];
		struct fault fault = FAULT_INIT;
		uint32_t *counts = NULL, n = 0;

		assert_non_null(copy);
		k = i / sizeof values;
		memcpy(copy, blob.data, blob.len);
		copy[k] = values[i % sizeof values];
		if (package_blob_units(copy, blob.len, &counts, &n, &fault) < 0 ||
		    package_blob_hash(copy, blob.len, COVERAGE_HASH_FNV, hash, &fault) < 0)
			assert_int_equal(fault.kind, FAULT_UNSUPPORTED);
		free(counts);
		free(copy);
	}
	buffer_free(&blob);
}

/* All functions at one long record: hashing them all would take forever. */
static void overlapping_functions(void **state)
{
	enum { FUNCTIONS = 20000, UNITS = 20000 };
	struct buffer blob = BUFFER_INIT;
	unsigned char hash[COVERAGE_HASH_SIZE];
	struct fault fault = FAULT_INIT;
	size_t i, record;

	(void)state;
	make_blob(&blob, "a", NULL, 0, COVERAGE_HASH_FNV);
	blob.len = COVBLOB_HEADER_SIZE;
	for (i = 0; i < FUNCTIONS; i++)
		add_le(&blob, 0, 4);
	add_uleb(&blob, 3);
	for (i = 0; i < 3; i++)
		add_uleb(&blob, 0);
	record = blob.len;
	add_uleb(&blob, UNITS);
	for (i = 0; i < 5 * UNITS + 3; i++)
		add_uleb(&blob, 0);
	for (i = 0; i < FUNCTIONS; i++)
		set_le(blob.data + COVBLOB_HEADER_SIZE + 4 * i, record, 4);
	set_le(blob.data, blob.len, 4);
	set_le(blob.data + COVBLOB_AT_FUNCTIONS, FUNCTIONS, 4);
	assert_int_equal(package_blob_hash((unsigned char *)blob.data, blob.len, COVERAGE_HASH_FNV,
					   hash, &fault),
			 -1);
	assert_int_equal(fault.kind, FAULT_UNSUPPORTED);
	buffer_free(&blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(identifiers),
	    cmocka_unit_test(identity),
	    cmocka_unit_test(both_kinds),
	    cmocka_unit_test(mode),
	    cmocka_unit_test(unknown_hash),
	    cmocka_unit_test(damaged_blob),
	    cmocka_unit_test(overlapping_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
