/* The two shapes of /v1/cover/list, from reports made by hand. */
#include "unit.h"

#include "cgi/list/list_detail.h"
#include "cgi/list/list_short.h"

#define TAG_A "0123456789abcdef0123456789abcdef"

/* A string literal where a report owns its strings; nothing frees it here. */
#define TEXT(literal) ((char *)(literal))

/* --- the short list -------------------------------------------------------------------------- */

static void expect_short(struct live_process *processes, size_t n, const char *want)
{
	struct live_report live = {.processes = processes, .n = n};
	cleanup_buffer struct buffer out = BUFFER_INIT;
	struct error err = {0};

	assert_int_equal(list_short_write(&out, "box", &live, &err), 0);
	assert_string_equal(buffer_str(&out), want);
}

static void no_process_is_an_empty_object(void **state)
{
	struct live_process unread[] = {
	    {.pid = 1, .program = TEXT("a"), .state = LIVE_DENIED},
	    {.pid = 2, .program = TEXT("b"), .state = LIVE_GONE},
	    {.pid = 3, .program = TEXT("c"), .state = LIVE_UNSUPPORTED},
	};

	(void)state;
	expect_short(NULL, 0, "{}\n");
	expect_short(unread, 3, "{}\n");
}

static void names_and_pids_are_in_order(void **state)
{
	struct live_process processes[] = {
	    {.pid = 5, .program = TEXT("till")},
	    {.pid = 30, .program = TEXT("shop")},
	    {.pid = 7, .program = TEXT("shop"), .state = LIVE_DENIED},
	    {.pid = 4, .program = TEXT("shop")},
	    {.pid = 6, .program = TEXT("Shop")},
	};

	(void)state;
	expect_short(processes, 5,
		     "{\"Shop\":[\"proc://box/6\"],\n"
		     "\"shop\":[\"proc://box/4\",\"proc://box/30\"],\n"
		     "\"till\":[\"proc://box/5\"]}\n");
}

static void a_process_with_two_programs_has_one_address(void **state)
{
	struct live_process processes[] = {
	    {.pid = 5, .program = TEXT("host")},
	    {.pid = 5, .program = TEXT("host"), .library = TEXT("/lib/a.so")},
	    {.pid = 6, .program = TEXT("host")},
	};

	(void)state;
	expect_short(processes, 3, "{\"host\":[\"proc://box/5\",\"proc://box/6\"]}\n");
}

static void names_of_any_bytes_give_each_key_once(void **state)
{
	struct live_process processes[] = {
	    {.pid = 1, .program = TEXT("a\xff")},
	    {.pid = 2, .program = TEXT("a\xef\xbf\xbc")},
	    {.pid = 3, .program = TEXT("a\xfe")},
	    {.pid = 4, .program = TEXT("\"\n\\")},
	};

	(void)state;
	expect_short(processes, 4,
		     "{\"\\\"\\n\\\\\":[\"proc://box/4\"],\n"
		     "\"a\xef\xbf\xbc\":[\"proc://box/2\"],\n"
		     "\"a\xef\xbf\xbd\":[\"proc://box/1\",\"proc://box/3\"]}\n");
}

/* --- the detailed list ----------------------------------------------------------------------- */

static void expect_detail(const struct live_report *live, const struct ended_list *ended,
			  const char *want)
{
	cleanup_buffer struct buffer out = BUFFER_INIT;

	list_detail_write(&out, "box", live, ended);
	assert_false(out.failed);
	assert_string_equal(buffer_str(&out), want);
}

static void everything_that_is_known_is_told(void **state)
{
	struct live_process process = {
	    .pid = 12,
	    .start_ns = 1700000000987654321,
	    .program = TEXT("shop"),
	    .executable = TEXT("/srv/bin/shop"),
	    .library = TEXT("/srv/lib/x.so"),
	    .mode = COUNTER_MODE_COUNT,
	    .hash = TEXT(TAG_A),
	    .functions = 10,
	    .functions_touched = 3,
	    .go_version = TEXT("go1.23.5"),
	    .main_path = TEXT("example.org/shop/cmd/shop"),
	    .module_path = TEXT("example.org/shop"),
	    .module_version = TEXT("v1.2.3"),
	    .vcs_revision = TEXT("abc"),
	    .vcs_modified = true,
	};
	struct live_report live = {.processes = &process, .n = 1};
	struct ended_list ended = ENDED_LIST_INIT;

	(void)state;
	expect_detail(
	    &live, &ended,
	    "[{\"name\":\"shop\",\"state\":\"live\",\"pid\":12,\"address\":\"proc://box/12\","
	    "\"startTime\":\"2023-11-14T22:13:20.987Z\",\"executable\":\"/srv/bin/shop\","
	    "\"library\":\"/srv/lib/x.so\",\"goVersion\":\"go1.23.5\","
	    "\"mainPackage\":\"example.org/shop/cmd/shop\",\"modulePath\":\"example.org/shop\","
	    "\"moduleVersion\":\"v1.2.3\",\"vcsRevision\":\"abc\",\"vcsModified\":true,"
	    "\"mode\":\"count\",\"hash\":\"" TAG_A
	    "\",\"functions\":10,\"functionsTouched\":3}]\n");
	process.vcs_modified = false;
	{
		cleanup_buffer struct buffer out = BUFFER_INIT;

		list_detail_write(&out, "box", &live, &ended);
		assert_non_null(strstr(buffer_str(&out), "\"vcsModified\":false,"));
	}
}

static void what_is_not_known_is_left_out(void **state)
{
	struct live_process processes[] = {
	    {.pid = 7, .program = TEXT("a"), .state = LIVE_DENIED, .reason = TEXT("no \x01 way")},
	    {.pid = 8, .program = TEXT("b"), .state = LIVE_GONE, .reason = TEXT("it ended")},
	    {.pid = 9, .program = TEXT(""), .state = LIVE_UNSUPPORTED, .reason = TEXT("386")},
	};
	struct ended_program programs[] = {
	    {.program = TEXT("x\xff"), .hash = TEXT("odd")},
	    {.program = TEXT("y"), .may_be_running = true},
	};
	struct live_report live = {.processes = processes, .n = 3};
	struct ended_list ended = {.programs = programs, .n = 2};

	(void)state;
	expect_detail(&live, &ended,
		      "[{\"name\":\"a\",\"state\":\"denied\",\"reason\":\"no \\u0001 way\","
		      "\"pid\":7,\"address\":\"proc://box/7\"},\n"
		      "{\"name\":\"b\",\"state\":\"gone\",\"reason\":\"it ended\","
		      "\"pid\":8,\"address\":\"proc://box/8\"},\n"
		      "{\"state\":\"unsupported\",\"reason\":\"386\","
		      "\"pid\":9,\"address\":\"proc://box/9\"},\n"
		      "{\"name\":\"x\xef\xbf\xbd\",\"state\":\"ended\",\"hash\":\"odd\","
		      "\"counterFiles\":0},\n"
		      "{\"name\":\"y\",\"state\":\"unknown\",\"reason\":\"it has no counter "
		      "file: a process that could not be read may be running it, or it was "
		      "killed\",\"counterFiles\":0}]\n");
}

static void no_entries_are_an_empty_array(void **state)
{
	struct live_report live = LIVE_REPORT_INIT;
	struct ended_list ended = ENDED_LIST_INIT;

	(void)state;
	expect_detail(&live, &ended, "[]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_process_is_an_empty_object),
	    cmocka_unit_test(names_and_pids_are_in_order),
	    cmocka_unit_test(a_process_with_two_programs_has_one_address),
	    cmocka_unit_test(names_of_any_bytes_give_each_key_once),
	    cmocka_unit_test(everything_that_is_known_is_told),
	    cmocka_unit_test(what_is_not_known_is_left_out),
	    cmocka_unit_test(no_entries_are_an_empty_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
