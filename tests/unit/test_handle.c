/* Whole requests through a fake gateway: routes, methods, errors, what leaves and in which
 * shape. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgi/app_life.h"
#include "cgi/base/log.h"
#include "cgi/handle.h"
#include "fake_gateway.h"

#define VARIABLES(...) ((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})
#define PROFILE                                                                                    \
	{"SCRIPT_NAME", "/v1/cover"},                                                              \
	{                                                                                          \
		"PATH_INFO", "/profile"                                                            \
	}

static char empty_dir[] = "/tmp/goverage-test-XXXXXX";

/* Ask, and give back the whole answer; *fake is filled, its `sent` is the caller's. */
static const char *ask(struct fake_gateway *fake, const char *const (*variables)[2],
		       const char *body)
{
	struct error err = {0};
	struct app app;

	assert_int_equal(app_init(&app, APP_FOR_MANY, &err), 0);
	fake_gateway_init(fake, variables, body, strlen(body));
	handle_request(&app, &fake->base);
	app_free(&app);
	return fake_gateway_answer(fake);
}

static void expect(const char *const (*variables)[2], const char *body, const char *const *parts)
{
	struct fake_gateway fake;
	const char *answer = ask(&fake, variables, body);

	for (; *parts; parts++)
		if (!strstr(answer, *parts))
			fail_msg("no \"%s\" in:\n%s", *parts, answer);
	assert_int_equal(fake.taken, strlen(body));
	buffer_free(&fake.sent);
}

#define EXPECT(variables, body, ...)                                                               \
	expect(variables, body, (const char *const[]){__VA_ARGS__, NULL})

static void unknown_paths(void **state)
{
	static const char *const paths[] = {
	    "/", "", "/v1/cover/profile/", "/v1/cover/profil", "/v1/cover", "v1/cover/profile"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof paths / sizeof *paths; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"PATH_INFO", paths[i]}), "body",
		       "Status: 404 Not Found\n", "Content-Type: text/plain; charset=utf-8\n");
}

static void every_mapping_reaches_the_route(void **state)
{
	static const char *const mappings[][2] = {
	    {"/v1/cover", "/profile"},	     {"/v1/cover/profile", NULL},
	    {NULL, "/v1/cover/profile"},     {"/cgi-bin/goverage.cgi", "/v1/cover/profile"},
	    {"/v1", "/cover/profile"},	     {"/tools/v1/cover", "/profile"},
	    {"/tools", "/v1/cover/profile"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof mappings / sizeof *mappings; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", "OPTIONS"}, {"SCRIPT_NAME", mappings[i][0]},
				 {"PATH_INFO", mappings[i][1]}),
		       "", "Status: 204 No Content\n", "Allow: GET, HEAD, POST, OPTIONS\n");
}

/* A web server's rules are made for paths as it maps them; nothing else is a path. */
static void no_way_round_the_mapping(void **state)
{
	static const char *const mappings[][2] = {
	    {"/v1/cover/x/v1/cover/clear", NULL},
	    {NULL, "/v1/cover/x/v1/cover/clear"},
	    {"/v1/cover", "/x/v1/cover/clear"},
	    {"/v1/cover", "/v1/cover/clear"},
	    {"/v1/cover/v1/cover", "/clear"},
	    {"/V1/Cover/x", "/v1/cover/clear"},
	    {"/x/v1/cover/clear", NULL},
	    {NULL, "/x/v1/cover/clear"},
	    {"/cover", "/x/v1/cover/clear"},
	    {"//v1/cover/clear", NULL},
	    {NULL, "//v1/cover/clear"},
	    {"/", "/v1/cover/clear"},
	    {"/a/..", "/v1/cover/clear"},
	    {"/./", "v1/cover/clear"},
	    {"x", "/v1/cover/clear"},
	    {NULL, "/v1/cover/x/../clear"},
	    {NULL, "/v1/cover//clear"},
	    {NULL, "/v1/cover/./clear"},
	    {NULL, "/v1/cover/clear/"},
	    {NULL, "/v1/cover/clear/."},
	    {NULL, "/v1/cover/clear;a"},
	    {NULL, "/v1/cover;a/clear"},
	    {NULL, "/v1/cover/CLEAR"},
	    {NULL, "/v1/cover/%63lear"},
	    {NULL, "/v1/cover%2fclear"},
	    {NULL, "/v1/cover/clear%00"},
	    {NULL, "/v1/cover/clear "},
	    {NULL, "/v1/cover\\clear"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof mappings / sizeof *mappings; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"SCRIPT_NAME", mappings[i][0]},
				 {"PATH_INFO", mappings[i][1]}, {"REQUEST_URI", "/v1/cover/clear"}),
		       "", "Status: 404 Not Found\n", "ask for one of /v1/cover/profile, ");
	/* where the mapping has taken the prefix away, the request's own target is no second
	 * chance */
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"PATH_INFO", "/profile"},
			 {"REQUEST_URI", "/v1/cover/profile?x=/y"}),
	       "", "Status: 404 Not Found\n");
}

static void registration_is_another_programs(void **state)
{
	static const char *const paths[] = {"/v1/cover/register", "/v1/cover/init",
					    "/v1/cover/remove"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof paths / sizeof *paths; i++) {
		EXPECT(VARIABLES(
			   {"REQUEST_METHOD", "POST"}, {"SCRIPT_NAME", paths[i]},
			   {"QUERY_STRING", "name=shop&address=http://127.0.0.1:1&ip_revise=true"}),
		       "", "Status: 501 Not Implemented\n", "no goc center", "go build -cover");
		EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"SCRIPT_NAME", paths[i]},
				 {"HTTP_ACCEPT", "application/json"}),
		       "{\"service\":[\"shop\"]}", "Status: 501 ",
		       "{\"error\":\"this is no goc center");
		EXPECT(VARIABLES({"REQUEST_METHOD", "DELETE"}, {"SCRIPT_NAME", paths[i]}), "",
		       "Status: 405 ");
	}
}

/* What a browser says of the page that asks: { Sec-Fetch-Site, Origin, Host, status }. */
static void pages_of_other_sites_change_nothing(void **state)
{
	static const struct {
		const char *fetch_site, *origin, *host, *status;
	} cases[] = {
	    {NULL, NULL, "localhost:7777", "500"},
	    {NULL, NULL, NULL, "500"},
	    {"", "", "localhost:7777", "500"},
	    {"none", NULL, "localhost:7777", "500"},
	    {"same-origin", "http://localhost:7777", "localhost:7777", "500"},
	    {"Same-Origin", "HTTP://LOCALHOST:7777", "localhost:7777", "500"},
	    {NULL, "http://localhost:7777", "LocalHost:7777", "500"},
	    {NULL, "http://cov.example", "cov.example", "500"},
	    {NULL, "http://cov.example", "cov.example:80", "500"},
	    {NULL, "https://cov.example:443", "cov.example", "500"},
	    {NULL, "https://[::1]:7777", "[::1]:7777", "500"},
	    {NULL, "http://[::1]", "[::1]", "500"},
	    {"cross-site", NULL, "localhost:7777", "403"},
	    {"Cross-Site", NULL, "localhost:7777", "403"},
	    {"cross-site", "http://localhost:7777", "localhost:7777", "403"},
	    {"same-site", "http://ci.example", "cov.example", "403"},
	    {"same-site", NULL, "cov.example", "403"},
	    {"none, cross-site", NULL, "cov.example", "403"},
	    {NULL, "http://evil.example", "localhost:7777", "403"},
	    {"same-origin", "http://evil.example", "localhost:7777", "403"},
	    {NULL, "null", "localhost:7777", "403"},
	    {NULL, "null", "null", "403"},
	    {NULL, "http://localhost:3000", "localhost:7777", "403"},
	    {NULL, "http://localhost", "localhost:7777", "403"},
	    {NULL, "http://localhost:7777", "localhost", "403"},
	    {NULL, "https://cov.example:80", "cov.example", "403"},
	    {NULL, "http://localhost:7777", NULL, "403"},
	    {NULL, "http://", "", "403"},
	    {NULL, "http://localhost:77777", "localhost:7777", "403"},
	    {NULL, "http://localhost:7777.evil.example", "localhost:7777", "403"},
	    {NULL, "http://localhost:7777/", "localhost:7777", "403"},
	    {NULL, "http://localhost:7777 http://evil.example", "localhost:7777", "403"},
	    {NULL, "http://[::1]:1", "[::1]:2", "403"},
	    {NULL, "file://", "localhost:7777", "403"},
	    {NULL, "localhost:7777", "localhost:7777", "403"},
	};
	size_t i;

	(void)state;
	unsetenv("GOCOVERDIR"); /* 500 is the answer to who may ask */
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		char status[32];

		snprintf(status, sizeof status, "Status: %s ", cases[i].status);
		EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"PATH_INFO", "/v1/cover/clear"},
				 {"CONTENT_TYPE", "application/x-www-form-urlencoded"},
				 {"HTTP_SEC_FETCH_SITE", cases[i].fetch_site},
				 {"HTTP_ORIGIN", cases[i].origin}, {"HTTP_HOST", cases[i].host}),
		       "service=shop", status);
		EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, PROFILE,
				 {"HTTP_SEC_FETCH_SITE", cases[i].fetch_site},
				 {"HTTP_ORIGIN", cases[i].origin}, {"HTTP_HOST", cases[i].host}),
		       "", "Status: 500 ", "GOCOVERDIR");
	}
}

static void clearing_can_be_switched_off(void **state)
{
	(void)state;
	unsetenv("GOCOVERDIR");
	setenv("GOVERAGE_CLEAR", "off", 1);
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"PATH_INFO", "/v1/cover/clear"}), "",
	       "Status: 403 Forbidden\n", "GOVERAGE_CLEAR=off", "since=");
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE), "", "Status: 500 ");
	setenv("GOVERAGE_CLEAR", "on", 1);
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, {"PATH_INFO", "/v1/cover/clear"}), "",
	       "Status: 500 ", "GOCOVERDIR is not set");
	unsetenv("GOVERAGE_CLEAR");
}

static void coded_bodies_are_not_read(void **state)
{
	static const char *const coded[] = {"gzip", "deflate", "br", "identity, gzip", "x"};
	static const char *const plain[] = {"", "identity", "Identity"};
	size_t i;

	(void)state;
	unsetenv("GOCOVERDIR");
	for (i = 0; i < sizeof coded / sizeof *coded; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE,
				 {"HTTP_CONTENT_ENCODING", coded[i]}),
		       "{}", "Status: 415 Unsupported Media Type\n", "Content-Encoding", coded[i]);
	for (i = 0; i < sizeof plain / sizeof *plain; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE,
				 {"HTTP_CONTENT_ENCODING", plain[i]}),
		       "{}", "Status: 500 ");
	/* there is nothing that could be coded */
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE, {"HTTP_CONTENT_ENCODING", "gzip"}),
	       "", "Status: 500 ");
}

static void other_methods(void **state)
{
	static const char *const methods[] = {"PUT", "DELETE", "TRACE", "get", "GET,", "G"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof methods / sizeof *methods; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", methods[i]}, PROFILE), "ignored",
		       "Status: 405 Method Not Allowed\n", "Allow: GET, HEAD, POST, OPTIONS\n",
		       methods[i]);
	EXPECT(VARIABLES(PROFILE), "", "Status: 500", "REQUEST_METHOD");
}

static void errors_in_both_shapes(void **state)
{
	(void)state;
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE), "{\"skipFile\":\"x\"}",
	       "Status: 400 Bad Request\n", "Content-Length: 51\n",
	       "X-Content-Type-Options: nosniff\n",
	       "\n\nskipFile must be an array of strings, not a string\n");
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE,
			 {"HTTP_ACCEPT", "text/html, application/json;q=0.9"}),
	       "{\"skipFile\":\"x\"}", "Content-Type: application/json; charset=utf-8\n",
	       "\n\n{\"error\":\"skipFile must be an array of strings, not a string\"}\n");
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE), "{\"skipFile\":[\"[\"]}",
	       "Status: 400 Bad Request\n", "skipFile", "missing closing ]: `[`");
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, PROFILE, {"QUERY_STRING", "coverfile=(%3F%3D"}),
	       "", "Status: 400 Bad Request\n", "coverFile");
}

static void head_sends_no_body(void **state)
{
	struct fake_gateway fake;
	const char *answer =
	    ask(&fake, VARIABLES({"REQUEST_METHOD", "HEAD"}, {"PATH_INFO", "/x"}), "");

	(void)state;
	assert_non_null(strstr(answer, "Status: 404"));
	assert_string_equal(strstr(answer, "\n\n"), "\n\n");
	buffer_free(&fake.sent);
}

static void missing_directory_and_setting(void **state)
{
	(void)state;
	unsetenv("GOCOVERDIR");
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE), "", "Status: 500 ",
	       "GOCOVERDIR is not set: ");
	/* a parameter of the gateway counts where the process has no setting */
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE, {"GOCOVERDIR", "/nonexistent/a"}), "",
	       "Status: 503 ", "/nonexistent/a", "Retry-After: ");
	setenv("GOCOVERDIR", "/nonexistent/b", 1);
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE, {"GOCOVERDIR", "/nonexistent/a"}), "",
	       "Status: 503 ", "/nonexistent/b");
	setenv("GOCOVERDIR", empty_dir, 1);
	EXPECT(VARIABLES({"REQUEST_METHOD", "POST"}, PROFILE), "", "Status: 503 ",
	       "no covered process has started or ended with this GOCOVERDIR yet");
}

static void error_documents_keep_their_status(void **state)
{
	(void)state;
	/* a POST without a length is refused by lighttpd, and answered all the same */
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, PROFILE, {"REDIRECT_STATUS", "411"},
			 {"REQUEST_URI", "/v1/cover/%70rofile?skipfile=%5B"}),
	       "", "Status: 400 ", "skipFile");
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, PROFILE, {"REDIRECT_STATUS", "411"},
			 {"REQUEST_URI", "/other%zz"}),
	       "", "Status: 411 ", "curl -d ''");
	/* the web server's rules for another path than the document's were not asked */
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, PROFILE, {"REDIRECT_STATUS", "411"},
			 {"REQUEST_URI", "/v1/cover/clear"}),
	       "", "Status: 411 ");
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, {"PATH_INFO", "/v1/cover/clear"},
			 {"REDIRECT_STATUS", "411"}, {"REQUEST_URI", "/v1/cover/profile"}),
	       "", "Status: 411 ");
	EXPECT(VARIABLES({"REQUEST_METHOD", "GET"}, PROFILE, {"REDIRECT_STATUS", "431"}), "",
	       "Status: 431 ", "refused the request: status 431");
	EXPECT(VARIABLES({"REQUEST_METHOD", "OPTIONS"}, PROFILE, {"REDIRECT_STATUS", "200"}), "",
	       "Status: 204 ");
}

static void a_peer_that_leaves_is_no_fault(void **state)
{
	struct fake_gateway fake;
	struct error err = {0};
	struct app app;

	(void)state;
	assert_int_equal(app_init(&app, APP_FOR_MANY, &err), 0);
	fake_gateway_init(&fake, VARIABLES({"REQUEST_METHOD", "GET"}, {"PATH_INFO", "/x"}), "", 0);
	fake.room = 10;
	handle_request(&app, &fake.base);
	assert_int_equal(fake.sent.len, 0);
	app_free(&app);
	buffer_free(&fake.sent);
}

static void refusals_are_answers(void **state)
{
	struct fake_gateway fake;
	struct error err = {0};

	(void)state;
	error_set(&err, ERROR_INTERNAL, "GOVERAGE_LIVE is \"x\"");
	fake_gateway_init(&fake, VARIABLES({"REQUEST_METHOD", "POST"}), "abc", 3);
	handle_refusal(&fake.base, &err);
	assert_non_null(strstr(fake_gateway_answer(&fake), "Status: 500 "));
	assert_non_null(strstr(fake_gateway_answer(&fake), "GOVERAGE_LIVE is \"x\"\n"));
	buffer_free(&fake.sent);
}

static int prepare(void **state)
{
	(void)state;
	log_start("test");
	setenv("GOVERAGE_COVDATA", "/bin/true",
	       1); /* never reached: these requests end before it */
	return mkdtemp(empty_dir) ? 0 : -1;
}

static int clean(void **state)
{
	(void)state;
	return rmdir(empty_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unknown_paths),
	    cmocka_unit_test(every_mapping_reaches_the_route),
	    cmocka_unit_test(no_way_round_the_mapping),
	    cmocka_unit_test(registration_is_another_programs),
	    cmocka_unit_test(pages_of_other_sites_change_nothing),
	    cmocka_unit_test(clearing_can_be_switched_off),
	    cmocka_unit_test(coded_bodies_are_not_read),
	    cmocka_unit_test(other_methods),
	    cmocka_unit_test(errors_in_both_shapes),
	    cmocka_unit_test(head_sends_no_body),
	    cmocka_unit_test(missing_directory_and_setting),
	    cmocka_unit_test(error_documents_keep_their_status),
	    cmocka_unit_test(a_peer_that_leaves_is_no_fault),
	    cmocka_unit_test(refusals_are_answers),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
