/* What covdata makes of good files, and of files that come and go. */
#include "covdata_fixture.h"

#include <sys/eventfd.h>

static void profile_is_that_of_bare_covdata(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.n_counters, 2);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_in_range(shown, 100, 1000);
	assert_int_equal(fcntl(answer.fd, F_GETFD), FD_CLOEXEC);
}

static void several_directories_are_joined(void **state)
{
	cleanup_answer struct answer answer;
	char list[256];

	(void)state;
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-2"), in_scratch("set-1"));
	prepare(&answer, list);
	assert_int_equal(answer.set.n_meta, 1);
	assert_int_equal(answer.set.n_counters, 4);
	run(&answer);
	expect_profile(&answer, list);
}

static void directory_with_an_odd_name_will_do(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("'sp ace=:%s-i'");
	prepare(&answer, in_scratch("sp ace=:%s-i"));
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
}

static void made_files_are_as_go_writes_them(void **state)
{
	static const char *const packages[] = {"example.com/lib", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	cleanup_answer struct answer answer;

	(void)state;
	assert_int_equal(mkdir(in_scratch("made"), 0700), 0);
	make_meta(&meta, packages, COUNTER_MODE_COUNT);
	make_counters(&counters, 42);
	write_file(in_scratch("made/covmeta." TAG_A), meta.data, meta.len);
	write_file(in_scratch("made/covcounters." TAG_A ".1.1"), counters.data, counters.len);
	prepare(&answer, in_scratch("made"));
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_string_equal(text_of(answer.fd), "mode: count\nexample.com/lib/f.go:1.2,2.3 1 42\n");
}

static void nothing_gives_an_empty_file(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	assert_int_equal(mkdir(in_scratch("empty"), 0700), 0);
	prepare(&answer, in_scratch("empty"));
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_string_equal(text_of(answer.fd), "");
}

static void extra_files_are_joined(void **state)
{
	cleanup_answer struct answer answer;
	cleanup_fd int extra = -1;
	char list[256];

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	answer.extra = "live";
	extra = staging_subdir(&answer.staging, "live", &answer.err);
	assert_true(extra >= 0);
	assert_int_equal(sh("cp %s/set-2/* %s/live", scratch, answer.staging.path), 0);
	run(&answer);
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-1"), in_scratch("set-2"));
	expect_profile(&answer, list);
}

/* --- files that only covdata finds out about ------------------------------------------------- */

static void vanished_counters_are_no_error(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("shrinking");
	assert_int_equal(sh("cd %s/shrinking && f=$(ls | grep -m1 counters) && "
			    "for i in 1 2 3 4 5 6 7 8; do cp $f ${f%%.*.*}.$i.$i; done",
			    scratch),
			 0);
	prepare(&answer, in_scratch("shrinking"));
	assert_int_equal(answer.set.n_counters, 10);
	assert_int_equal(sh("rm %s/shrinking/covcounters.*.[1-8].[1-8]", scratch), 0);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.skipped, 0);
	assert_int_equal(answer.set.n_counters, 2);
}

static void cleared_directory_gives_an_empty_file(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("cleared");
	prepare(&answer, in_scratch("cleared"));
	assert_int_equal(sh("rm -r %s/cleared", scratch), 0);
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_string_equal(text_of(answer.fd), "");
	assert_int_equal(answer.set.n_files, 0);
	assert_int_equal(answer.set.skipped, 0);
}

static void passed_deadline_is_told(void **state)
{
	struct deadline passed = {0, -1};
	cleanup_answer struct answer answer;
	struct error err = {0};

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	assert_int_equal(
	    covdata_textfmt(covdata, &answer.set, &answer.staging, NULL, &passed, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	assert_non_null(strstr(err.message, "covdata did not finish"));
	assert_non_null(strstr(err.message, "GOVERAGE_TIMEOUT"));
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
}

static void cancelling_is_told(void **state)
{
	cleanup_fd int cancel = eventfd(1, EFD_CLOEXEC);
	struct deadline deadline = deadline_in_ms(60000, cancel);
	cleanup_answer struct answer answer;
	struct error err = {0};

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	assert_int_equal(
	    covdata_textfmt(covdata, &answer.set, &answer.staging, NULL, &deadline, &err), -1);
	assert_int_equal(err.class, ERROR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(profile_is_that_of_bare_covdata),
	    cmocka_unit_test(several_directories_are_joined),
	    cmocka_unit_test(directory_with_an_odd_name_will_do),
	    cmocka_unit_test(made_files_are_as_go_writes_them),
	    cmocka_unit_test(nothing_gives_an_empty_file),
	    cmocka_unit_test(extra_files_are_joined),
	    cmocka_unit_test(vanished_counters_are_no_error),
	    cmocka_unit_test(cleared_directory_gives_an_empty_file),
	    cmocka_unit_test(passed_deadline_is_told),
	    cmocka_unit_test(cancelling_is_told),
	};

	return cmocka_run_group_tests_name("covdata", tests, start, finish);
}
