/* Programs that count in different ways, in one directory. */
#include "coverage_fixture.h"

static void mixed_modes_name_modes_and_programs(void **state)
{
	static const char *const more[][2] = {
	    {"example.com/c", NULL}, {"example.com/d", NULL}, {"example.com/e", NULL}};
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT, mixed = COVERAGE_SET_INIT,
						 many = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("modes");
	write_meta("modes/covmeta.1", prog_a, COUNTER_MODE_SET);
	assert_int_equal(read_set(&set, in_scratch("modes"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&set, &err), 0);
	write_meta("modes/covmeta.2", prog_b, COUNTER_MODE_ATOMIC);
	assert_int_equal(read_set(&mixed, in_scratch("modes"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&mixed, &err), -1);
	assert_int_equal(err.class, ERROR_CONFLICT);
	assert_string_equal(
	    err.message, "GOCOVERDIR mixes counter modes, which covdata can't merge: set "
			 "(example.com/a), atomic (example.com/b); give each mode a directory of "
			 "its own, or rebuild with one -covermode");
	write_meta("modes/covmeta.3", more[0], COUNTER_MODE_SET);
	write_meta("modes/covmeta.4", more[1], COUNTER_MODE_SET);
	write_meta("modes/covmeta.5", more[2], COUNTER_MODE_SET);
	write_meta("modes/covmeta.6", prog_a, COUNTER_MODE_COUNT);
	assert_int_equal(read_set(&many, in_scratch("modes"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&many, &err), -1);
	assert_non_null(strstr(err.message, "set (example.com/a, example.com/c, example.com/d and "
					    "others), atomic (example.com/b), count "
					    "(example.com/a);"));
}

static void mixed_granularities_are_told(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_buffer struct buffer b = BUFFER_INIT;
	struct error err;

	(void)state;
	make_dir("grains");
	write_meta("grains/covmeta.1", prog_a, COUNTER_MODE_SET);
	make_meta(&b, prog_b, COUNTER_MODE_SET);
	b.data[COVMETA_AT_GRANULARITY] = GRANULARITY_PERFUNC;
	write_file(in_scratch("grains/covmeta.2"), b.data, b.len);
	assert_int_equal(read_set(&set, in_scratch("grains"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&set, &err), -1);
	assert_int_equal(err.class, ERROR_CONFLICT);
	assert_non_null(strstr(err.message, "perblock (example.com/a), perfunc (example.com/b)"));
}

static void vanished_programs_are_named_by_their_files(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("ghosts");
	write_meta("ghosts/covmeta.1", prog_a, COUNTER_MODE_SET);
	write_meta("ghosts/covmeta.2", prog_b, COUNTER_MODE_COUNT);
	assert_int_equal(read_set(&set, in_scratch("ghosts"), &err), 0);
	remove_tree(in_scratch("ghosts"));
	assert_int_equal(coverage_set_check_modes(&set, &err), -1);
	assert_non_null(strstr(err.message, "set (covmeta.1), count (covmeta.2)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mixed_modes_name_modes_and_programs),
	    cmocka_unit_test(mixed_granularities_are_told),
	    cmocka_unit_test(vanished_programs_are_named_by_their_files),
	};

	return cmocka_run_group_tests_name("coverage_modes", tests, make_scratch, remove_scratch);
}
