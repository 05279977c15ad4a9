/* Files that only covdata finds out about, and data that it refuses. */
#include "covdata_fixture.h"

/* Counters that promise more entries than they hold; the one there is for a package that is not
 * there. */
static void write_bad_counters(const char *dir, int number)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	char command[512], tag[64], path[256];

	snprintf(command, sizeof command, "cd %s/%s && ls covmeta.* | cut -c9-", scratch, dir);
	assert_int_equal(ask(command, tag, sizeof tag), 0);
	make_counters(&b, 1);
	memset(b.data + COVCOUNTERS_HEADER_SIZE, 0x7f, 4);
	b.data[COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE + 4 + 1] = 9;
	snprintf(path, sizeof path, "%s/%s/covcounters.%s.99.%d", scratch, dir, tag, number);
	write_file(path, b.data, b.len);
}

static void named_files_are_left_out(void **state)
{
	cleanup_answer struct answer answer;
	int i;

	(void)state;
	copy_data("some-bad");
	for (i = 0; i < COVDATA_MAX_RETRIES; i++)
		write_bad_counters("some-bad", i);
	prepare(&answer, in_scratch("some-bad"));
	assert_int_equal(answer.set.skipped, 0);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.skipped, COVDATA_MAX_RETRIES);
	assert_int_equal(answer.set.n_counters, 2);
}

static void too_many_bad_files_are_an_error(void **state)
{
	cleanup_answer struct answer answer;
	int i;

	(void)state;
	copy_data("many-bad");
	for (i = 0; i <= COVDATA_MAX_RETRIES; i++)
		write_bad_counters("many-bad", i);
	prepare(&answer, in_scratch("many-bad"));
	run(&answer);
	assert_int_equal(answer.fd, -1);
	assert_int_equal(answer.err.class, ERROR_INTERNAL);
	assert_non_null(strstr(answer.err.message, "covdata exited with status 1: "));
	assert_non_null(strstr(answer.err.message, in_scratch("many-bad/covcounters.")));
	assert_null(strstr(answer.err.message, answer.staging.path));
}

static void unknown_version_takes_its_counters_along(void **state)
{
	static const char *const packages[] = {"example.com/new", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("newer");
	make_meta(&meta, packages, COUNTER_MODE_SET);
	make_counters(&counters, 1);
	meta.data[COVMETA_AT_VERSION] = 2;
	write_file(in_scratch("newer/covmeta." TAG_A), meta.data, meta.len);
	write_file(in_scratch("newer/covcounters." TAG_A ".1.1"), counters.data, counters.len);
	prepare(&answer, in_scratch("newer"));
	assert_int_equal(answer.set.skipped, 0);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.skipped, 2);
}

static void bad_extra_file_is_left_out(void **state)
{
	cleanup_answer struct answer answer;
	cleanup_fd int extra = -1;
	char list[256];

	(void)state;
	copy_data("extra-bad");
	write_bad_counters("extra-bad", 1);
	prepare(&answer, in_scratch("set-2"));
	answer.extra = "live";
	extra = staging_subdir(&answer.staging, "live", &answer.err);
	assert_int_equal(sh("cp %s/extra-bad/* %s/live", scratch, answer.staging.path), 0);
	run(&answer);
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-1"), in_scratch("set-2"));
	expect_profile(&answer, list);
	assert_int_equal(answer.set.skipped, 1);
}

static void crash_is_told_by_its_cause(void **state)
{
	static const char *const packages[] = {"example.com/a", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	cleanup_answer struct answer answer;

	(void)state;
	assert_int_equal(mkdir(in_scratch("crash"), 0700), 0);
	make_meta(&meta, packages, COUNTER_MODE_SET);
	/* the import path is a string that the table does not have */
	meta.data[le64(meta.data + COVMETA_HEADER_SIZE) + COVBLOB_AT_IMPORT_PATH] = 99;
	write_file(in_scratch("crash/covmeta." TAG_A), meta.data, meta.len);
	prepare(&answer, in_scratch("crash"));
	run(&answer);
	assert_int_equal(answer.fd, -1);
	assert_int_equal(answer.err.class, ERROR_INTERNAL);
	assert_non_null(strstr(answer.err.message, "covdata exited with status 2: panic: "));
}

static void clash_is_no_bad_file(void **state)
{
	cleanup_answer struct answer answer;
	char list[256];

	(void)state;
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-1"), in_scratch("atomic"));
	prepare(&answer, list);
	assert_int_equal(coverage_set_check_modes(&answer.set, &answer.err), -1);
	assert_non_null(
	    strstr(answer.err.message,
		   "set (example.com/prog), atomic (example.com/prog); give each mode"));
	run(&answer);
	assert_int_equal(answer.fd, -1);
	assert_int_equal(answer.err.class, ERROR_CONFLICT);
	assert_non_null(strstr(answer.err.message, in_scratch("atomic/covmeta.")));
	assert_int_equal(answer.set.skipped, 0);
}

/* A file of the set that can't be read any more, for another reason than being gone. */
static void unreadable_by_then_is_left_out(void **state)
{
	cleanup_answer struct answer answer;
	char path[512];

	(void)state;
	copy_data("changing");
	prepare(&answer, in_scratch("changing"));
	snprintf(path, sizeof path, "%s/%s", in_scratch("changing"), answer.set.files[0].name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_int_equal(answer.set.skipped, 1);
	assert_int_equal(answer.set.n_counters, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(named_files_are_left_out),
	    cmocka_unit_test(too_many_bad_files_are_an_error),
	    cmocka_unit_test(unknown_version_takes_its_counters_along),
	    cmocka_unit_test(bad_extra_file_is_left_out),
	    cmocka_unit_test(crash_is_told_by_its_cause),
	    cmocka_unit_test(clash_is_no_bad_file),
	    cmocka_unit_test(unreadable_by_then_is_left_out),
	};

	return cmocka_run_group_tests_name("covdata_faults", tests, start, finish);
}
