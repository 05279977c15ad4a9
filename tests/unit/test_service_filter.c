/* cgi/collect/service_filter.h: on files in a real directory. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "made_arguments.h"
#include "scratch.h"

#include "cgi/collect/service_filter.h"

#define TAG_C "00000000000000000000000000000000"

static void write_counters(const char *name, const char *argv0)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_counters_by(&b, argv0, strlen(argv0));
	write_file(in_scratch(name), b.data, b.len);
}

static void write_merged_counters(const char *name)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_counters(&b, 1);
	write_file(in_scratch(name), b.data, b.len);
}

static void write_meta(const char *name, const char *main_path)
{
	const char *const paths[] = {"internal/other", main_path, NULL};
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_meta(&b, paths, COUNTER_MODE_ATOMIC);
	write_file(in_scratch(name), b.data, b.len);
}

/* --- the filter ------------------------------------------------------------------------------ */

/* The name of each file that is kept for a service, a blank behind each. */
static void expect_kept(const char *service, const struct live_report *live, const char *want)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_string_list struct string_list services = STRING_LIST_INIT;
	cleanup_buffer struct buffer got = BUFFER_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct error err = {0};
	size_t i, n_meta = 0;

	assert_int_equal(coverage_set_read(&set, scratch, &deadline, &err), 0);
	if (service)
		assert_int_equal(string_list_add(&services, service, strlen(service)), 0);
	assert_int_equal(service_filter_apply(&set, live, &services, NULL, &deadline, &err), 0);
	for (i = 0; i < set.n_files; i++) {
		n_meta += set.files[i].kind == COVERAGE_META;
		buffer_printf(&got, "%s ", set.files[i].name);
	}
	assert_string_equal(buffer_str(&got), want);
	assert_int_equal(set.n_meta, n_meta);
	assert_int_equal(set.n_counters, set.n_files - n_meta);
	assert_int_equal(set.skipped, 0);
}

static int fill_scratch(void **state)
{
	if (make_scratch(state) < 0)
		return -1;
	write_meta("covmeta." TAG_A, "example.org/shop");
	write_counters("covcounters." TAG_A ".11.1", "/srv/bin/shop");
	write_counters("covcounters." TAG_A ".12.2", "./shop");
	write_counters("covcounters." TAG_A ".13.3", "shop-canary");
	write_merged_counters("covcounters." TAG_A ".0.4");
	write_meta("covmeta." TAG_B, "example.org/till/v2");
	write_counters("covcounters." TAG_B ".14.5", "/srv/bin/register");
	write_meta("covmeta." TAG_C, "example.org/idle/v3");
	return 0;
}

static void no_service_keeps_all(void **state)
{
	struct live_report live = LIVE_REPORT_INIT;

	(void)state;
	expect_kept(NULL, &live,
		    "covcounters." TAG_A ".0.4 covcounters." TAG_A ".11.1 covcounters." TAG_A
		    ".12.2 covcounters." TAG_A ".13.3 covcounters." TAG_B ".14.5 covmeta." TAG_C
		    " covmeta." TAG_A " covmeta." TAG_B " ");
}

static void counters_are_kept_by_argv0(void **state)
{
	struct live_report live = LIVE_REPORT_INIT;

	(void)state;
	expect_kept("shop", &live,
		    "covcounters." TAG_A ".0.4 covcounters." TAG_A ".11.1 covcounters." TAG_A
		    ".12.2 covmeta." TAG_A " ");
	expect_kept("shop-canary", &live, "covcounters." TAG_A ".13.3 covmeta." TAG_A " ");
	expect_kept("register", &live, "covcounters." TAG_B ".14.5 covmeta." TAG_B " ");
}

static void names_match_whole_and_exactly(void **state)
{
	struct live_report live = LIVE_REPORT_INIT;

	(void)state;
	expect_kept("Shop", &live, "");
	expect_kept("sho", &live, "");
	expect_kept("/srv/bin/shop", &live, "");
	expect_kept("", &live, "");
}

static void meta_without_counters_goes_by_its_import_path(void **state)
{
	struct live_report live = LIVE_REPORT_INIT;

	(void)state;
	expect_kept("idle", &live, "covmeta." TAG_C " ");
	/* with counters of another name it does not */
	expect_kept("till", &live, "");
}

static void meta_of_a_process_is_kept(void **state)
{
	struct live_process processes[] = {
	    {.state = LIVE_DENIED, .program = (char *)"x"},
	    {.state = LIVE_READ, .program = (char *)"x", .hash = (char *)TAG_B},
	    {.state = LIVE_GONE, .program = (char *)"x", .hash = (char *)TAG_C},
	};
	struct live_report live = {.processes = processes, .n = 3};

	(void)state;
	expect_kept("x", &live, "covmeta." TAG_B " ");
}

static void a_deadline_ends_it(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_string_list struct string_list services = STRING_LIST_INIT;
	struct live_report live = LIVE_REPORT_INIT;
	struct deadline ample = deadline_in_ms(60000, -1), passed = deadline_in_ms(-1, -1);
	struct error err = {0};

	(void)state;
	assert_int_equal(coverage_set_read(&set, scratch, &ample, &err), 0);
	assert_int_equal(string_list_add(&services, "shop", 4), 0);
	assert_int_equal(service_filter_apply(&set, &live, &services, NULL, &passed, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
}

static void files_that_vanish_are_left_out_in_silence(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_string_list struct string_list services = STRING_LIST_INIT;
	struct live_report live = LIVE_REPORT_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct error err = {0};

	(void)state;
	write_counters("covcounters." TAG_B ".15.6", "gone");
	assert_int_equal(coverage_set_read(&set, scratch, &deadline, &err), 0);
	assert_int_equal(unlink(in_scratch("covcounters." TAG_B ".15.6")), 0);
	assert_int_equal(string_list_add(&services, "gone", 4), 0);
	assert_int_equal(service_filter_apply(&set, &live, &services, NULL, &deadline, &err), 0);
	assert_int_equal(set.n_files, 0);
	assert_int_equal(set.skipped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_service_keeps_all, fill_scratch, remove_scratch),
	    cmocka_unit_test_setup_teardown(counters_are_kept_by_argv0, fill_scratch,
					    remove_scratch),
	    cmocka_unit_test_setup_teardown(names_match_whole_and_exactly, fill_scratch,
					    remove_scratch),
	    cmocka_unit_test_setup_teardown(meta_without_counters_goes_by_its_import_path,
					    fill_scratch, remove_scratch),
	    cmocka_unit_test_setup_teardown(meta_of_a_process_is_kept, fill_scratch,
					    remove_scratch),
	    cmocka_unit_test_setup_teardown(a_deadline_ends_it, fill_scratch, remove_scratch),
	    cmocka_unit_test_setup_teardown(files_that_vanish_are_left_out_in_silence, fill_scratch,
					    remove_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
