/* Counters that change while they are copied. */
#include "made_live.h"

#include "cgi/live/snapshot/counter_file.h"
#include "cgi/live/snapshot/counter_walk.h"

enum { WORDS = 64 };

static const uint32_t units_a[] = {1, 3, 5}, units_b[] = {2}, units_runtime[] = {1};
static struct program *program;
static uint32_t first[WORDS], second[WORDS];
static struct counter_entries entries;
static struct walk_result result;

static int make(void **state)
{
	static const struct made_package packages[] = {
	    {"a", units_a, 3, -1}, {"runtime/r", units_runtime, 1, -7}, {"b", units_b, 1, -1}};

	(void)state;
	program = make_program(packages, 3);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	program_put(&program);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	memset(first, 0, sizeof first);
	memset(second, 0, sizeof second);
	counter_entries_free(&entries);
	result = (struct walk_result){0};
	return 0;
}

static int forget(void **state)
{
	(void)state;
	counter_entries_free(&entries);
	return 0;
}

/* A slot whose counters are all `value`. */
static void put(uint32_t *copy, size_t at, uint32_t n, int32_t package, uint32_t function,
		uint32_t value)
{
	uint32_t i;

	copy[at] = n;
	copy[at + 1] = (uint32_t)package;
	copy[at + 2] = function;
	for (i = 0; i < n; i++)
		copy[at + 3 + i] = value;
}

static void put_both(size_t at, uint32_t n, int32_t package, uint32_t function, uint32_t value)
{
	put(first, at, n, package, function, value);
	put(second, at, n, package, function, value);
}

static void walk(void)
{
	struct counter_copies copies = {first, second, WORDS};

	counter_walk(&copies, program, &entries, &result);
}

/* The entries are exactly these bytes (all values here are below 128). */
static void expect(const char *bytes, size_t len, uint64_t n)
{
	assert_false(result.unsettled);
	assert_int_equal(entries.n, n);
	assert_int_equal(entries.bytes.len, len);
	if (len)
		assert_memory_equal(entries.bytes.data, bytes, len);
}

static void nothing(void **state)
{
	(void)state;
	walk();
	expect("", 0, 0);
}

/* Memory order, padding, and packages by place and by hard-coded identifier. */
static void in_order(void **state)
{
	(void)state;
	put_both(4, 2, 3, 0, 9);
	put_both(16, 5, 1, 2, 7);
	put_both(32, 1, -7, 0, 4);
	put_both(60, 1, 1, 0, 2);
	walk();
	expect("\2\2\0\11\11"
	       "\5\0\2\7\7\7\7\7"
	       "\1\1\0\4"
	       "\1\0\0\2",
	       21, 4);
	assert_int_equal(result.dropped, 0);
}

/* Values come from the second copy. */
static void moved_on(void **state)
{
	(void)state;
	put(first, 0, 3, 1, 1, 5);
	put(second, 0, 3, 1, 1, 6);
	walk();
	expect("\3\0\1\6\6\6", 6, 1);
}

static void cleared(void **state)
{
	(void)state;
	put_both(0, 3, 1, 1, 0); /* a header whose counters are all zero */
	put(first, 8, 3, 1, 1, 5);
	put(second, 8, 3, 1, 1, 0); /* cleared between the copies */
	walk();
	expect("", 0, 0);
}

/* Ran for the first time between the copies: left to the next snapshot, what follows is read. */
static void newcomer(void **state)
{
	(void)state;
	put(second, 0, 5, 1, 2, 1);
	put_both(8, 2, 3, 0, 1);
	walk();
	expect("\2\2\0\1\1", 5, 1);
}

/* The same, but its header was copied before it was stored, its counters after. */
static void hidden_newcomer(void **state)
{
	(void)state;
	put(second, 0, 5, 1, 2, 1);
	memset(second, 0, 3 * sizeof *second);
	put_both(8, 2, 3, 0, 1);
	walk();
	expect("\2\2\0\1\1", 5, 1);
}

/* Inside a hidden newcomer, a counter looks like the header of a slot that reaches into the next
 * one. */
static void misleading_newcomer(void **state)
{
	(void)state;
	put(second, 0, 5, 1, 2, 5);
	memset(second, 0, 3 * sizeof *second);
	put_both(8, 2, 3, 0, 1);
	walk();
	assert_true(result.unsettled);
}

/* Half stored in the first copy, complete in the second: what the second says counts. */
static void half_a_header(void **state)
{
	(void)state;
	put_both(0, 2, 3, 0, 1);
	first[1] = 0;
	walk();
	expect("\2\2\0\1\1", 5, 1);
}

static void header_seen_too_early(void **state)
{
	(void)state;
	put_both(0, 2, 3, 0, 1);
	memset(first, 0, 3 * sizeof *first);
	walk();
	assert_true(result.unsettled);
}

static void stored_between(void **state)
{
	(void)state;
	put_both(0, 2, 3, 0, 0);
	second[3] = 1; /* its header may not be complete in either copy */
	second[2] = 9;
	walk();
	expect("", 0, 0);
	assert_int_equal(result.dropped, 0);
}

static void other_number(void **state)
{
	(void)state;
	put_both(0, 2, 3, 0, 1);
	second[0] = 3;
	walk();
	assert_true(result.unsettled);
}

static void beyond_the_end(void **state)
{
	(void)state;
	put_both(60, 1, 1, 0, 1);
	first[60] = second[60] = 2;
	walk();
	assert_true(result.unsettled);
}

static void huge_number(void **state)
{
	(void)state;
	put_both(0, 1, 1, 0, 1);
	first[0] = second[0] = UINT32_MAX;
	walk();
	assert_true(result.unsettled);
}

static void fits_no_function(void **state)
{
	(void)state;
	put_both(0, 2, 1, 0, 1);   /* has one block, not two */
	put_both(8, 1, 1, 3, 1);   /* there is no fourth function */
	put_both(16, 1, -8, 0, 1); /* no such hard-coded identifier */
	put_both(24, 1, 1, 0, 1);
	walk();
	expect("\1\0\0\1", 4, 1);
	assert_int_equal(result.dropped, 3);
	assert_false(result.unknown_package);
}

static void package_not_registered_yet(void **state)
{
	(void)state;
	put_both(0, 1, 4, 0, 1);
	walk();
	assert_int_equal(result.dropped, 1);
	assert_true(result.unknown_package);
}

/* The runtime takes a function that ran before its package was registered as one of package 0. */
static void package_zero(void **state)
{
	(void)state;
	put_both(0, 3, 0, 1, 1);
	put_both(8, 2, 0, 1, 1);
	walk();
	expect("\3\0\1\1\1\1", 6, 1);
	assert_int_equal(result.dropped, 1);
}

int main(void)
{
#define walk_test(test) cmocka_unit_test_setup_teardown(test, clear, forget)
	const struct CMUnitTest tests[] = {
	    walk_test(nothing),
	    walk_test(in_order),
	    walk_test(moved_on),
	    walk_test(cleared),
	    walk_test(newcomer),
	    walk_test(hidden_newcomer),
	    walk_test(misleading_newcomer),
	    walk_test(half_a_header),
	    walk_test(header_seen_too_early),
	    walk_test(stored_between),
	    walk_test(other_number),
	    walk_test(beyond_the_end),
	    walk_test(huge_number),
	    walk_test(fits_no_function),
	    walk_test(package_not_registered_yet),
	    walk_test(package_zero),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
