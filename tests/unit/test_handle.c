/* Whole requests through a fake gateway: routes, methods, errors, what leaves and in which shape.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "cgi/handle.h"
#include "cgi/base/log.h"
#include "cgi/app_life.h"
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
	    {"/v1/cover", "/profile"},	 {"/v1/cover/profile", NULL},
	    {NULL, "/v1/cover/profile"}, {"/cgi-bin/goverage.cgi", "/v1/cover/profile"},
	    {"/v1", "/cover/profile"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof mappings / sizeof *mappings; i++)
		EXPECT(VARIABLES({"REQUEST_METHOD", "OPTIONS"}, {"SCRIPT_NAME", mappings[i][0]},
				 {"PATH_INFO", mappings[i][1]}),
		       "", "Status: 204 No Content\n", "Allow: GET, HEAD, POST, OPTIONS\n");
	/* the prefix was taken away: the request's own target is the last resort */
	EXPECT(VARIABLES({"REQUEST_METHOD", "OPTIONS"}, {"PATH_INFO", "/profile"},
			 {"REQUEST_URI", "/v1/cover/profile?x=/y"}),
	       "", "Status: 204 No Content\n");
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
	       "", "Status: 404 ");
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
