/* /v1/cover/list: whole requests on files in a real directory, without processes. */
#include "unit.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "fake_gateway.h"
#include "made_coverage.h"
#include "scratch.h"

#include "cgi/app_life.h"
#include "cgi/base/log.h"
#include "cgi/collect/seen_processes.h"
#include "cgi/handle.h"
#include "cgi/list/list_ended.h"

#define VARIABLES(...) ((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})
#define LIST(query)                                                                                \
	VARIABLES({"REQUEST_METHOD", "GET"}, {"PATH_INFO", "/v1/cover/list"},                      \
		  {"QUERY_STRING", query})
#define TAG_C "00000000000000000000000000000000"

/* A string literal where a report owns its strings; nothing frees it here. */
#define TEXT(literal) ((char *)(literal))

/* --- requests -------------------------------------------------------------------------------- */

static const char *ask(struct fake_gateway *fake, const char *const (*variables)[2])
{
	struct error err = {0};
	struct app app;

	assert_int_equal(app_init(&app, APP_FOR_MANY, &err), 0);
	fake_gateway_init(fake, variables, "", 0);
	handle_request(&app, &fake->base);
	app_free(&app);
	return fake_gateway_answer(fake);
}

static void expect(const char *const (*variables)[2], const char *const *parts)
{
	struct fake_gateway fake;
	const char *answer = ask(&fake, variables);

	for (; *parts; parts++)
		if (!strstr(answer, *parts))
			fail_msg("no \"%s\" in:\n%s", *parts, answer);
	buffer_free(&fake.sent);
}

#define EXPECT(variables, ...) expect(variables, (const char *const[]){__VA_ARGS__, NULL})

/* The JSON body of a good answer; the caller puts it. */
static struct json_object *ask_json(const char *query)
{
	struct fake_gateway fake;
	const char *answer = ask(&fake, LIST(query)), *body = strstr(answer, "\n\n");
	struct json_object *json;

	assert_non_null(strstr(answer, "Status: 200 OK\n"));
	assert_non_null(strstr(answer, "Content-Type: application/json; charset=utf-8\n"));
	assert_non_null(strstr(answer, "Cache-Control: no-store\n"));
	assert_non_null(body);
	assert_int_equal(answer[strlen(answer) - 1], '\n');
	json = json_tokener_parse(body + 2);
	assert_non_null(json);
	buffer_free(&fake.sent);
	return json;
}

/* A member of element i of the array as JSON text, "-" where it is missing. */
static const char *member(struct json_object *array, size_t i, const char *name)
{
	struct json_object *value;

	assert_true(i < json_object_array_length(array));
	if (!json_object_object_get_ex(json_object_array_get_idx(array, i), name, &value))
		return "-";
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void write_made(const char *name, const struct buffer *bytes)
{
	write_file(in_scratch(name), bytes->data, bytes->len);
}

static void write_meta(const char *name, const char *const *paths)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_meta(&b, paths, COUNTER_MODE_ATOMIC);
	write_made(name, &b);
}

/* Function 0 of a package has run. */
static void write_counters(const char *name, char package)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_counters(&b, 1);
	b.data[b.len - COVCOUNTERS_FOOTER_SIZE - 3] = package;
	write_made(name, &b);
}

static int prepare(void **state)
{
	log_start("test");
	if (make_scratch(state) < 0)
		return -1;
	setenv("GOVERAGE_COVDATA", "/bin/true", 1); /* never reached */
	setenv("GOVERAGE_LIVE", "off", 1);
	setenv("GOCOVERDIR", scratch, 1);
	return 0;
}

static void methods(void **state)
{
	(void)state;
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"PATH_INFO", "/v1/cover/list"}),
	       "Status: 405 ", "Allow: GET, HEAD, OPTIONS\n");
	EXPECT(VARIABLES({"REQUEST_METHOD", "OPTIONS"}, {"PATH_INFO", "/v1/cover/list"}),
	       "Status: 204 ", "Allow: GET, HEAD, OPTIONS\n");
	EXPECT(VARIABLES({"REQUEST_METHOD", "HEAD"}, {"PATH_INFO", "/v1/cover/list"}),
	       "Status: 200 OK\n", "Content-Length: 3\n");
}

static void unknown_formats(void **state)
{
	(void)state;
	EXPECT(LIST("format=xml"), "Status: 400 ", "format is \"xml\"", "format=detail");
	EXPECT(LIST("format"), "Status: 400 ", "format is \"\"");
	EXPECT(LIST("x=1&FORMAT=detail&format=Detail"), "Status: 400 ", "format is \"Detail\"");
	EXPECT(LIST("format=%0a%c3%a4"), "Status: 400 ", "format is \" \xc3\xa4\"");
	EXPECT(LIST("format=%ff"), "Status: 400 ", "format is not valid UTF-8");
	EXPECT(LIST("format=detail%00x"), "Status: 400 ", "format holds a NUL character");
	EXPECT(LIST("format=%zz"), "Status: 400 ", "format in the query string has a %");
	EXPECT(LIST("service=%zz"), "Status: 400 ", "service in the query string has a %");
}

static void directory_errors(void **state)
{
	(void)state;
	unsetenv("GOCOVERDIR");
	EXPECT(LIST(""), "Status: 500 ", "GOCOVERDIR is not set: ");
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, {"PATH_INFO", "/v1/cover/list"},
			 {"GOCOVERDIR", "/nonexistent/a"}),
	       "Status: 503 ", "/nonexistent/a");
	setenv("GOCOVERDIR", "/nonexistent/b", 1);
	EXPECT(LIST("format=detail"), "Status: 503 ", "/nonexistent/b");
	setenv("GOCOVERDIR", scratch, 1);
}

static void without_processes_the_short_list_is_empty(void **state)
{
	(void)state;
	EXPECT(LIST(""), "Status: 200 OK\n", "\n\n{}\n");
	EXPECT(LIST("format=detail"), "Goverage-Skipped: 0\n", "\n\n[]\n");
}

static void programs_that_left_files(void **state)
{
	struct json_object *json;

	(void)state;
	write_meta("covmeta." TAG_A, (const char *const[]){"a", "b", "example.org/shop/v2", NULL});
	write_counters("covcounters." TAG_A ".1.1700000000123456789", 0);
	write_counters("covcounters." TAG_A ".1.1600000000000000000", 2);
	write_counters("covcounters." TAG_A ".2.1500000000000000000", 2);
	write_meta("covmeta." TAG_B, (const char *const[]){"example.org/idle", NULL});

	json = ask_json("format=detail");
	assert_int_equal(json_object_array_length(json), 2);
	assert_string_equal(member(json, 0, "name"), "\"idle\"");
	assert_string_equal(member(json, 0, "counterFiles"), "0");
	assert_string_equal(member(json, 0, "newest"), "-");
	assert_string_equal(member(json, 0, "functions"), "1");
	assert_string_equal(member(json, 0, "functionsTouched"), "0");
	assert_string_equal(member(json, 1, "name"), "\"shop\"");
	assert_string_equal(member(json, 1, "state"), "\"ended\"");
	assert_string_equal(member(json, 1, "mainPackage"), "\"example.org/shop/v2\"");
	assert_string_equal(member(json, 1, "modulePath"), "\"module\"");
	assert_string_equal(member(json, 1, "mode"), "\"atomic\"");
	assert_string_equal(member(json, 1, "hash"), "\"" TAG_A "\"");
	assert_string_equal(member(json, 1, "functions"), "3");
	assert_string_equal(member(json, 1, "functionsTouched"), "2");
	assert_string_equal(member(json, 1, "counterFiles"), "3");
	assert_string_equal(member(json, 1, "newest"), "\"2023-11-14T22:13:20.123Z\"");
	assert_string_equal(member(json, 1, "pid"), "-");
	assert_string_equal(member(json, 1, "goVersion"), "-");
	json_object_put(json);
}

static void services_choose_programs(void **state)
{
	struct json_object *json = ask_json("format=detail&service=shop&service=none");

	(void)state;
	assert_int_equal(json_object_array_length(json), 1);
	assert_string_equal(member(json, 0, "name"), "\"shop\"");
	json_object_put(json);
	EXPECT(LIST("service=none&format=detail"), "\n\n[]\n");
}

static void functions_that_do_not_exist_are_not_counted(void **state)
{
	struct json_object *json;

	(void)state;
	write_counters("covcounters." TAG_B ".1.5", 9);
	json = ask_json("format=detail");
	assert_string_equal(member(json, 0, "name"), "\"idle\"");
	assert_string_equal(member(json, 0, "functionsTouched"), "0");
	json_object_put(json);
}

/* Too much to look into: five files of 60 MiB, each of which is good (they are almost all hole). */
static void many_bytes_make_the_number_unknown(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	struct json_object *json;
	char name[128];
	int i;

	(void)state;
	make_counters(&b, 1);
	for (i = 0; i < 5; i++) {
		cleanup_fd int fd = -1;

		snprintf(name, sizeof name, "covcounters." TAG_B ".2.%d", i);
		write_made(name, &b);
		fd = open(in_scratch(name), O_WRONLY | O_CLOEXEC);
		assert_int_equal(lseek(fd, (60 << 20) - COVCOUNTERS_FOOTER_SIZE, SEEK_SET),
				 (60 << 20) - COVCOUNTERS_FOOTER_SIZE);
		assert_int_equal(io_write_full(fd, b.data + b.len - COVCOUNTERS_FOOTER_SIZE,
					       COVCOUNTERS_FOOTER_SIZE),
				 0);
		json = ask_json("format=detail&service=idle");
		assert_string_equal(member(json, 0, "functions"), "1");
		assert_string_equal(member(json, 0, "functionsTouched"), i < 4 ? "1" : "-");
		json_object_put(json);
	}
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "covcounters." TAG_B ".2.%d", i);
		assert_int_equal(unlink(in_scratch(name)), 0);
	}
}

/* Its frame is whole, so that it is not left out at sight; inside a value has no end. */
static void a_damaged_counter_file_makes_the_number_unknown(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	struct json_object *json;

	(void)state;
	make_counters(&b, 1);
	b.data[COVCOUNTERS_HEADER_SIZE] = 100; /* entries */
	write_made("covcounters." TAG_B ".1.6", &b);
	json = ask_json("format=detail");
	assert_string_equal(member(json, 0, "name"), "\"idle\"");
	assert_string_equal(member(json, 0, "functions"), "1");
	assert_string_equal(member(json, 0, "functionsTouched"), "-");
	json_object_put(json);
}

static void a_damaged_file_is_counted_as_skipped(void **state)
{
	(void)state;
	write_file(in_scratch("covcounters." TAG_B ".1.7"), "rubbish", 7);
	EXPECT(LIST("format=detail"), "Goverage-Skipped: 1\n");
}

/* Meta-data whose frame is good, but a package is not: what the file's head says is still told. */
static void meta_data_that_cannot_be_decoded(void **state)
{
	const char *const paths[] = {"example.org/broken", NULL};
	cleanup_buffer struct buffer b = BUFFER_INIT;
	struct json_object *json;

	(void)state;
	make_meta(&b, paths, COUNTER_MODE_SET);
	/* the strings of the package: more than there are bytes */
	b.data[COVMETA_HEADER_SIZE + 16 + 2 + COVBLOB_HEADER_SIZE + 4] = 0x7f;
	write_made("covmeta." TAG_C, &b);
	json = ask_json("format=detail");
	assert_int_equal(json_object_array_length(json), 3);
	assert_string_equal(member(json, 0, "hash"), "\"" TAG_C "\"");
	assert_string_equal(member(json, 0, "mode"), "\"set\"");
	assert_string_equal(member(json, 0, "functions"), "-");
	assert_string_equal(member(json, 0, "mainPackage"), "-");
	json_object_put(json);
}

/* --- processes and files together ------------------------------------------------------------ */

static void expect_ended(struct live_process *processes, size_t n, const char *want)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_ended_list struct ended_list ended = ENDED_LIST_INIT;
	cleanup_buffer struct buffer names = BUFFER_INIT;
	cleanup_coverage_dirs struct coverage_dirs dirs = {0};
	cleanup_endings struct endings endings = ENDINGS_INIT;
	struct live_report live = {.processes = processes, .n = n};
	struct deadline deadline = deadline_in_ms(60000, -1);
	const struct string_list all = STRING_LIST_INIT;
	struct seen_processes *seen = seen_processes_new();
	struct error err = {0};
	const struct endings_view view = {.dirs = &dirs,
					  .set = &set,
					  .live = &live,
					  .services = &all,
					  .looked_ns = INT64_MAX,
					  .seen = seen,
					  .deadline = &deadline};
	size_t i;

	assert_int_equal(coverage_dirs_open(&dirs, scratch, &err), 0);
	assert_int_equal(coverage_set_read(&set, scratch, &deadline, &err), 0);
	assert_int_equal(endings_find(&endings, &view, &err), 0);
	assert_int_equal(ended_list_read(&ended, &set, &live, &endings, &deadline, &err), 0);
	seen_processes_free(seen);
	for (i = 0; i < ended.n; i++)
		buffer_printf(&names, "%s%s%s ", ended.programs[i].program,
			      ended.programs[i].may_be_running ? "?" : "",
			      ended.programs[i].lost ? "!" : "");
	assert_string_equal(buffer_str(&names), want);
}

static void programs_with_a_process_have_not_ended(void **state)
{
	struct live_process read = {.program = TEXT("x"), .hash = TEXT(TAG_A)};
	struct live_process denied = {.program = TEXT("other"), .state = LIVE_DENIED};
	struct live_process unsupported = {.program = TEXT("calm"), .state = LIVE_UNSUPPORTED};
	struct live_process gone = {.program = TEXT("other"), .state = LIVE_GONE};

	(void)state;
	assert_int_equal(unlink(in_scratch("covmeta." TAG_C)), 0);
	write_meta("covmeta." TAG_C, (const char *const[]){"example.org/calm", NULL});
	expect_ended(NULL, 0, "calm! idle shop ");
	expect_ended(&read, 1, "calm! idle ");
	/* meta-data alone may be those of the process that can't be read; counters are a file's */
	expect_ended(&denied, 1, "calm? idle shop ");
	expect_ended(&unsupported, 1, "calm? idle shop ");
	/* but not of one that has ended while it was read */
	expect_ended(&gone, 1, "calm! idle shop ");
}

static void a_deadline_ends_it(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_ended_list struct ended_list ended = ENDED_LIST_INIT;
	struct live_report live = LIVE_REPORT_INIT;
	struct deadline ample = deadline_in_ms(60000, -1), passed = deadline_in_ms(-1, -1);
	struct error err = {0};

	(void)state;
	assert_int_equal(coverage_set_read(&set, scratch, &ample, &err), 0);
	assert_int_equal(ended_list_read(&ended, &set, &live, &(struct endings){0}, &passed, &err),
			 -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(methods),
	    cmocka_unit_test(unknown_formats),
	    cmocka_unit_test(directory_errors),
	    cmocka_unit_test(without_processes_the_short_list_is_empty),
	    /* from here on the files of one test are there in the next one */
	    cmocka_unit_test(programs_that_left_files),
	    cmocka_unit_test(services_choose_programs),
	    cmocka_unit_test(functions_that_do_not_exist_are_not_counted),
	    cmocka_unit_test(many_bytes_make_the_number_unknown),
	    cmocka_unit_test(a_damaged_counter_file_makes_the_number_unknown),
	    cmocka_unit_test(a_damaged_file_is_counted_as_skipped),
	    cmocka_unit_test(meta_data_that_cannot_be_decoded),
	    cmocka_unit_test(programs_with_a_process_have_not_ended),
	    cmocka_unit_test(a_deadline_ends_it),
	};

	return cmocka_run_group_tests(tests, prepare, remove_scratch);
}
