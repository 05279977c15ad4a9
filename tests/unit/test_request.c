/* Reading a request: the four states of CONTENT_LENGTH, the limit, bodies that are cut. */
#include "unit.h"

#include "cgi/exchange/request.h"
#include "fake_gateway.h"

/* Read a body of the given bytes under the given variables.  The error class; *kept = bytes of the
 * body. */
static enum error_class read_with(const char *const (*variables)[2], const char *body, size_t len,
				  size_t max, bool stream, bool breaks_off, size_t *kept)
{
	cleanup_request struct request request = REQUEST_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct fake_gateway fake;
	struct error err = {0};

	fake_gateway_init(&fake, variables, body, len);
	fake.base.stream_ends_with_body = stream;
	fake.breaks_off = breaks_off;
	assert_int_equal(request_read_head(&request, &fake.base, &err), 0);
	if (request_read_body(&request, &fake.base, max, &deadline, &err) < 0)
		return err.class;
	*kept = request.body.len;
	assert_memory_equal(buffer_str(&request.body), body, request.body.len);
	return ERROR_NONE;
}

#define VARIABLES(...) ((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static void cgi_lengths(void **state)
{
	static const struct {
		const char *length, *encoding;
		enum error_class class;
		size_t kept;
	} cases[] = {
	    {NULL, NULL, ERROR_NONE, 0}, /* no length: no body, though the stream has bytes */
	    {"", NULL, ERROR_NONE, 0},
	    {"10", NULL, ERROR_NONE, 10},
	    {"4", NULL, ERROR_NONE, 4},
	    {"11", NULL, ERROR_BAD_REQUEST, 0},
	    {"0", NULL, ERROR_NONE, 0},
	    {"-1", NULL, ERROR_NONE, 10},
	    {NULL, "chunked", ERROR_NONE, 10},
	    {NULL, "gzip, Chunked", ERROR_NONE, 10},
	    {"abc", NULL, ERROR_BAD_REQUEST, 0},
	    {"-2", NULL, ERROR_BAD_REQUEST, 0},
	    {"+1", NULL, ERROR_BAD_REQUEST, 0},
	    {"1 ", NULL, ERROR_BAD_REQUEST, 0},
	    {"99999999999999999999", NULL, ERROR_BAD_REQUEST, 0},
	    {"1000000", NULL, ERROR_TOO_LARGE, 0},
	};
	size_t i, kept = 0;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const variables[][2] = {
		    {cases[i].length ? "CONTENT_LENGTH" : "X", cases[i].length},
		    {cases[i].encoding ? "HTTP_TRANSFER_ENCODING" : "Y", cases[i].encoding},
		    {NULL, NULL},
		};

		kept = 0;
		assert_int_equal(read_with(variables, "0123456789", 10, 100, false, false, &kept),
				 cases[i].class);
		assert_int_equal(kept, cases[i].kept);
	}
}

static void fastcgi_reads_to_the_end_of_the_stream(void **state)
{
	size_t kept = 0;

	(void)state;
	assert_int_equal(
	    read_with(VARIABLES({"CONTENT_LENGTH", ""}), "0123456789", 10, 100, true, false, &kept),
	    ERROR_NONE);
	assert_int_equal(kept, 10);
	assert_int_equal(read_with(VARIABLES({"CONTENT_LENGTH", "-1"}), "0123456789", 10, 100, true,
				   false, &kept),
			 ERROR_NONE);
	assert_int_equal(read_with(VARIABLES({"CONTENT_LENGTH", "12"}), "0123456789", 10, 100, true,
				   false, &kept),
			 ERROR_BAD_REQUEST);
	assert_int_equal(read_with(VARIABLES({"CONTENT_LENGTH", "12"}), "0123456789", 10, 100, true,
				   true, &kept),
			 ERROR_BAD_REQUEST);
}

static void over_the_limit_is_drained_and_refused(void **state)
{
	static char body[100000];
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_request struct request request = REQUEST_INIT;
	struct fake_gateway fake;
	struct error err = {0};

	(void)state;
	fake_gateway_init(&fake, VARIABLES({"CONTENT_LENGTH", "100000"}), body, sizeof body);
	fake.chunk = 5000;
	assert_int_equal(request_read_body(&request, &fake.base, 1000, &deadline, &err), -1);
	assert_int_equal(err.class, ERROR_TOO_LARGE);
	assert_int_equal(fake.taken, sizeof body);
	assert_true(request.body.len <= 1000);
}

static void exactly_the_limit_is_taken(void **state)
{
	size_t kept = 0;

	(void)state;
	assert_int_equal(read_with(VARIABLES({"CONTENT_LENGTH", "10"}), "0123456789", 10, 10, true,
				   false, &kept),
			 ERROR_NONE);
	assert_int_equal(kept, 10);
	assert_int_equal(
	    read_with(VARIABLES({"CONTENT_LENGTH", "10"}), "0123456789", 10, 9, true, false, &kept),
	    ERROR_TOO_LARGE);
}

static void path_is_glued(void **state)
{
	cleanup_request struct request request = REQUEST_INIT;
	struct fake_gateway fake;
	struct error err = {0};

	(void)state;
	fake_gateway_init(&fake, VARIABLES({"SCRIPT_NAME", "/v1/cover"}, {"PATH_INFO", "/profile"}),
			  "", 0);
	assert_int_equal(request_read_head(&request, &fake.base, &err), 0);
	assert_string_equal(buffer_str(&request.path), "/v1/cover/profile");
	assert_null(request.method);
	assert_string_equal(request.query_string, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cgi_lengths),
	    cmocka_unit_test(fastcgi_reads_to_the_end_of_the_stream),
	    cmocka_unit_test(over_the_limit_is_drained_and_refused),
	    cmocka_unit_test(exactly_the_limit_is_taken),
	    cmocka_unit_test(path_is_glued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
