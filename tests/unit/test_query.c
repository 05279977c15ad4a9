/* What a request may say, in JSON, in a form and in the query string. */
#include "unit.h"

#include <stdio.h>

#include "cgi/exchange/query.h"

static const char form_type[] = "application/x-www-form-urlencoded";

/* Read a body; the lists come out as "skip1|skip2;cover1|cover2;service1", an error as its
 * message. */
static const char *read_body(const char *body, size_t len, const char *type)
{
	static char out[2048];
	cleanup_query struct query q = QUERY_INIT;
	const struct string_list *lists[] = {&q.skip_file, &q.cover_file, &q.service};
	struct error err = {0};
	size_t used = 0, i, k;

	if (query_add_body(&q, body, len, type, &err) < 0) {
		assert_int_equal(err.class, ERROR_BAD_REQUEST);
		snprintf(out, sizeof out, "%s", err.message);
		return out;
	}
	for (i = 0; i < 3; i++) {
		for (k = 0; k < lists[i]->n; k++)
			used += (size_t)snprintf(out + used, sizeof out - used, "%s%s",
						 k ? "|" : "", lists[i]->items[k].text);
		used += (size_t)snprintf(out + used, sizeof out - used, i < 2 ? ";" : "");
	}
	return out;
}

struct body_case {
	const char *body;
	const char *expected;
};

static void check_bodies(const struct body_case *cases, size_t n, const char *type)
{
	size_t i;

	for (i = 0; i < n; i++)
		assert_string_equal(read_body(cases[i].body, strlen(cases[i].body), type),
				    cases[i].expected);
}

#define CHECK(cases, type) check_bodies(cases, sizeof cases / sizeof *cases, type)

static void good_json(void **state)
{
	static const struct body_case cases[] = {
	    {"", ";;"},
	    {" \r\n\t", ";;"},
	    {"null", ";;"},
	    {" null\n", ";;"},
	    {"{}", ";;"},
	    {"{\"skipFile\":null}", ";;"},
	    {"{\"skipFile\":[]}", ";;"},
	    {"{\"skipFile\":[\"a\",\"b\"]}\n", "a|b;;"},
	    {"{\"skipfile\":[\"a\"],\"COVERFILE\":[\"c\"]}", "a;c;"},
	    {"{\"\\u017fKipFile\":[\"a\"]}", "a;;"},
	    {"{\"skipFile\":[\"a\"],\"SKIPFILE\":[\"b\"]}", "b;;"},
	    {"{\"skipFile\":[\"a\"],\"SKIPFILE\":null}", "a;;"},
	    {"{\"skipFile\":[\"\"]}", ";;"},
	    {"{\"skipFile\":[\"\\u00e9\\t\"]}", "\xc3\xa9\t;;"},
	    {"{\"force\":true,\"service\":null,\"address\":null,\"coverfile\":null,"
	     "\"skipfile\":null}",
	     ";;"},
	    {"{\"service\":[\"web\"],\"unknown\":{\"deep\":[1,2.5e3,false]}}", ";;web"},
	    {"{\"n\":[0,-0,0.0,10,-100,1e05,1E-00,2.50e+007],\"skipFile\":[\"'N 00 1. \\\" I\"]}",
	     "'N 00 1. \" I;;"},
	};

	(void)state;
	CHECK(cases, "text/plain");
	CHECK(cases, NULL);
	CHECK(cases, form_type);
}

static void bad_json_names_what_is_wrong(void **state)
{
	static const struct body_case cases[] = {
	    {"{\"skipFile\":\"x\"}", "skipFile must be an array of strings, not a string"},
	    {"{\"SKIPFILE\":{}}", "skipFile must be an array of strings, not an object"},
	    {"{\"coverfile\":[\"a\",1]}",
	     "coverFile must be an array of strings: element 1 is a number"},
	    {"{\"skipFile\":[null]}", "skipFile must be an array of strings: element 0 is null"},
	    {"{\"force\":\"true\"}", "force must be true or false, not a string"},
	    {"{\"skipFile\":[\"a\\u0000b\"]}", "skipFile holds a NUL character"},
	    {"[]", "the request body must be a JSON object, not an array"},
	    {"nul", "the request body is not valid JSON: it ends in the middle"},
	    {"{\"a\":1", "the request body is not valid JSON: it ends in the middle"},
	    {"{'skipFile':['a']}",
	     "the request body is not valid JSON: invalid character 0x27 at byte 1"},
	    {"{\"a\":NaN}", "the request body is not valid JSON: invalid character 0x4e at byte 5"},
	    {"{\"a\":\"x\ny\"}",
	     "the request body is not valid JSON: control character 0x0a at byte 7"},
	};
	static const char *const merely_refused[] = {
	    "{\"skipFile\":[\"a\"],}",
	    "{} {}",
	    "{}x",
	    "{\"a\":01}",
	    "{\"a\":+1}",
	    "{\"a\":1.}",
	    "{\"a\":00}",
	    "{\"a\":-01}",
	    "{\"a\":1e}",
	    "{\"a\":-}",
	    "{\"a\":[-01]}",
	    "{\"a\":[1,.5]}",
	    "{\"a\":-Infinity}",
	    "{'skipFile':[\"a\"]}",
	    "{\"a\":\"\\\"\t\"}",
	    "{a:1}",
	    "{\"a\" 1}",
	    "\xef\xbb\xbf{}",
	    "{\"a\":\"\\x\"}",
	    "{\"a\":tru}",
	    "{\"a\":\"\\u12\"}",
	    "{,}",
	    "{\"a\":[1,]}",
	    "skipfile=mock",
	};
	size_t i;

	(void)state;
	CHECK(cases, NULL);
	for (i = 0; i < sizeof merely_refused / sizeof *merely_refused; i++)
		assert_non_null(
		    strstr(read_body(merely_refused[i], strlen(merely_refused[i]), NULL),
			   "not valid JSON"));
}

static void hostile_bytes_in_json(void **state)
{
	char deep[4096];

	(void)state;
	assert_string_equal(read_body("{}\0{}", 5, NULL), "the request body holds a NUL byte");
	assert_string_equal(read_body("{\"\xff\":1}", 7, NULL),
			    "the request body is not valid UTF-8");
	memset(deep, '[', sizeof deep);
	memcpy(deep, "{\"a\":", 5);
	assert_non_null(strstr(read_body(deep, sizeof deep, NULL), "not valid JSON"));
}

static void forms(void **state)
{
	static const struct body_case cases[] = {
	    {"skipfile=a&skipFile=b", "a|b;;"},
	    {"coverfile=%5Ea%2B&x=1&&service=s+t", ";^a+;s t"},
	    {"skipfile", ";;"},
	    {"force=true&force=0", ";;"},
	    {"force=maybe", "force must be true or false, not \"maybe\""},
	    {"skipfile=%zz", "skipFile in the form body has a % that is not followed by two hex "
			     "digits"},
	    {"skipfile=%4", "skipFile in the form body has a % that is not followed by two hex "
			    "digits"},
	    {"%=1", "the form body has a name with a % that is not followed by two hex digits"},
	    {"skipfile=%00", "skipFile holds a NUL character"},
	    {"skipfile=%ff", "skipFile is not valid UTF-8"},
	    {"  \n", ";;"},
	    {"skipfile=a\n", "a;;"},
	    {"null", ";;"},
	    {"n=1&skipfile=a", "a;;"},
	};
	static const char *const unknown[] = {
	    "hello",
	    "body.json",
	    "main",
	    "\"main\"",
	    "123",
	    "true",
	    "=",
	    "&",
	    "colour=red&size=2",
	    "nul",
	    "\xef\xbb\xbf{}",
	    "skip file=a",
	    "--x\r\nContent-Disposition: form-data",
	};
	size_t i;

	(void)state;
	CHECK(cases, form_type);
	CHECK(cases, "Application/X-WWW-Form-Urlencoded; charset=utf-8");
	for (i = 0; i < sizeof unknown / sizeof *unknown; i++)
		assert_non_null(
		    strstr(read_body(unknown[i], strlen(unknown[i]), form_type),
			   "a form without a field that is known here: send JSON, such as "
			   "{\"skipFile\": [\"_gen\\\\.go$\"]}"));
	assert_non_null(
	    strstr(read_body("--x\r\n", 5, "multipart/form-data; boundary=x"), "not read here"));
}

/* What a query string asks for is a good deal else's business: nothing has to be known. */
static void query_strings(void **state)
{
	cleanup_query struct query q = QUERY_INIT;
	struct error err = {0};

	(void)state;
	assert_int_equal(query_add_form(&q, "", 0, "query string", &err), 0);
	assert_int_equal(query_add_form(&q, "colour=red&_=1", 14, "query string", &err), 0);
	assert_int_equal(query_add_form(&q, "a&skipfile=b&skipfile=c", 23, "query string", &err),
			 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_json),
	    cmocka_unit_test(bad_json_names_what_is_wrong),
	    cmocka_unit_test(hostile_bytes_in_json),
	    cmocka_unit_test(forms),
	    cmocka_unit_test(query_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
