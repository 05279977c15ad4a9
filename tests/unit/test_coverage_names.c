/* Which file names are coverage files, and what they say. */
#include "unit.h"

#include "cgi/directory/coverage_names.h"

#define LONG_TAG                                                                                   \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxx"                                                                                     \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxx"

static void good_names(void **state)
{
	static const struct {
		const char *name;
		enum coverage_kind kind;
		const char *tag;
		uint64_t pid, time_ns;
	} cases[] = {
	    {"covmeta.0123456789abcdef0123456789abcdef", COVERAGE_META,
	     "0123456789abcdef0123456789abcdef", 0, 0},
	    {"covmeta.X.bak", COVERAGE_META, "X.bak", 0, 0},
	    {"covmeta..", COVERAGE_META, ".", 0, 0},
	    {"covmeta.a:b\\c\x01\xff\v", COVERAGE_META, "a:b\\c\x01\xff\v", 0, 0},
	    {"covmeta." LONG_TAG, COVERAGE_META, LONG_TAG, 0, 0},
	    {"covmeta.a.1.2", COVERAGE_META, "a.1.2", 0, 0},
	    {"covcounters.abc.1.2", COVERAGE_COUNTERS, "abc", 1, 2},
	    {"covcounters.a.1.2.3", COVERAGE_COUNTERS, "a.1", 2, 3},
	    {"covcounters....7.8", COVERAGE_COUNTERS, "..", 7, 8},
	    {"covcounters.1.2.3", COVERAGE_COUNTERS, "1", 2, 3},
	    {"covcounters.a.007.0", COVERAGE_COUNTERS, "a", 7, 0},
	    {"covcounters.a.9223372036854775807.18446744073709551615", COVERAGE_COUNTERS, "a",
	     INT64_MAX, UINT64_MAX},
	    {"covcounters.a.0.99999999999999999999999999", COVERAGE_COUNTERS, "a", 0, UINT64_MAX},
	    {"covcounters.a.0000000000000000000000000000001.1795362491854281307", COVERAGE_COUNTERS,
	     "a", 1, 1795362491854281307},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct coverage_file file = {.name = (char *)cases[i].name, .dir = 3};

		assert_true(coverage_name_parse(cases[i].name, &file));
		assert_int_equal(file.kind, cases[i].kind);
		assert_int_equal(file.tag_len, strlen(cases[i].tag));
		assert_memory_equal(coverage_tag(&file), cases[i].tag, file.tag_len);
		assert_true(file.pid == cases[i].pid && file.time_ns == cases[i].time_ns);
		assert_int_equal(file.dir, 3);
	}
}

static void other_names(void **state)
{
	static const char *const names[] = {"",
					    "covmeta",
					    "covmeta.",
					    "covmeta.a b",
					    "covmeta.a\t",
					    "covmeta.a\n",
					    "covmeta.\fa",
					    "covmeta.a\r",
					    "Covmeta.a",
					    "xcovmeta.a",
					    "tmp.covmeta.a1",
					    "tmp.covcounters.a.1.2",
					    "covcounters.",
					    "covcounters.a",
					    "covcounters.a.1",
					    "covcounters.1.2",
					    "covcounters..1.2",
					    "covcounters.a.1.",
					    "covcounters.a..2",
					    "covcounters.a.1.2.gz",
					    "covcounters.a.1.2x",
					    "covcounters.a.-1.2",
					    "covcounters.a.+1.2",
					    "covcounters.a b.1.2",
					    "covcounters.a.1.2\n",
					    "covcounters.a.1 .2",
					    "covcounters.a.9223372036854775808.2",
					    "covcounters.a.99999999999999999999999.2",
					    "covcountersXa.1.2",
					    "README",
					    "."};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		struct coverage_file file = {0};

		if (coverage_name_parse(names[i], &file))
			fail_msg("taken: %s", names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_names),
	    cmocka_unit_test(other_names),
	};

	return cmocka_run_group_tests_name("coverage_names", tests, NULL, NULL);
}
