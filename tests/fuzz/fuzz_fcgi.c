/*
 * A whole connection of a FastCGI client: through our look at its head, libfcgi, and the reading of
 * the request, up to the fields of its body.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgi/exchange/query.h"
#include "cgi/exchange/request.h"
#include "fcgi/protocol/gateway_fcgi.h"
#include "fcgi/protocol/params_scan.h"

enum { MAX_BODY = 1 << 16, ANSWER_MS = 5000 };

/* Whatever the parameters hold, they are strings of ours as long as the request lasts. */
static void check_string(const char *text)
{
	fuzz_expect(!text || strlen(text) < PARAMS_SCAN_MAX);
}

static void read_request(struct gateway *gateway, struct request *request)
{
	const struct deadline deadline = deadline_in_ms(ANSWER_MS, -1);
	cleanup_query struct query query = QUERY_INIT;
	struct error err = {0};

	if (request_read_head(request, gateway, &err) < 0)
		return;
	check_string(request->method);
	check_string(request->query_string);
	check_string(request->content_type);
	check_string(request->user_agent);
	if (request_read_body(request, gateway, MAX_BODY, &deadline, &err) < 0) {
		fuzz_expect(err.class != ERROR_NONE && err.message[0]);
		return;
	}
	fuzz_expect(request->body.len <= MAX_BODY);
	if (query_add_body(&query, buffer_str(&request->body), request->body.len,
			   request->content_type, &err) < 0)
		fuzz_expect(err.class == ERROR_BAD_REQUEST && err.message[0]);
}

static void answer(struct gateway *gateway, void *context)
{
	static const char head[] = "Status: 200 OK\nContent-Type: text/plain\n\n";
	cleanup_request struct request request = REQUEST_INIT;

	++*(unsigned *)context;
	read_request(gateway, &request);
	gateway->log(gateway, head, 6);
	/* nobody is there to take it: that is no harm */
	if (gateway->write(gateway, head, sizeof head - 1) == 0)
		gateway->write(gateway, request.body.data, request.body.len);
}

static void input_complete(void *context)
{
	(void)context;
}

static void output_begins(size_t n, void *context)
{
	(void)n;
	(void)context;
}

static void output_ends(void *context)
{
	(void)context;
}

static void start(void)
{
	struct error err = {0};

	fuzz_expect(gateway_fcgi_start(&err) == 0);
}

/* A connection on which these bytes have come, and then its end. */
static int connection_with(const uint8_t *data, size_t size)
{
	int ends[2], room = 4 * PARAMS_SCAN_MAX;

	fuzz_expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	fuzz_expect(size == 0 || send(ends[0], data, size, MSG_DONTWAIT) > 0);
	close(ends[0]);
	return ends[1];
}

static void serve(const uint8_t *data, size_t size)
{
	unsigned answers = 0;
	const struct fcgi_events events = {.arrived_ns = monotonic_ns(),
					   .answer = answer,
					   .input_complete = input_complete,
					   .output_begins = output_begins,
					   .output_ends = output_ends,
					   .context = &answers};
	const struct deadline deadline = deadline_in_ms(ANSWER_MS, -1);
	struct error err = {0};
	int connection = connection_with(data, size);
	int rc = gateway_fcgi_serve(connection, &events, &deadline, &err);

	fuzz_expect(rc == 0 ? answers == 1 : answers == 0 && err.message[0]);
	/* whatever came of it, the connection is the caller's */
	fuzz_expect(close(connection) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;

	if (!started)
		start();
	started = true;
	serve(data, size);
	return 0;
}
