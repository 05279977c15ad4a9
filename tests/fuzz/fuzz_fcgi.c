/*
 * A whole connection of a FastCGI client: through our reading of its records, libfcgi, and the
 * reading of the request, up to the fields of its body.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgi/exchange/query.h"
#include "cgi/exchange/request.h"
#include "fcgi/protocol/gateway_fcgi.h"
#include "fcgi/protocol/input.h"

enum { MAX_BODY = 1 << 16, ANSWER_MS = 5000 };

/* Whatever the parameters hold, they are strings of ours as long as the request lasts. */
static void check_string(const char *text)
{
	fuzz_expect(!text || strlen(text) < PARAMS_MAX);
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

static void answer(struct gateway *gateway, const struct error *failure, void *context)
{
	static const char head[] = "Status: 200 OK\nContent-Type: text/plain\n\n";
	cleanup_request struct request request = REQUEST_INIT;

	++*(unsigned *)context;
	fuzz_expect(!failure || failure->message[0]);
	read_request(gateway, &request);
	gateway->log(gateway, head, 6);
	/* nobody is there to take it: that is no harm */
	if (gateway->write(gateway, head, sizeof head - 1) == 0)
		gateway->write(gateway, request.body.data, request.body.len);
}

static void answering(void *context)
{
	(void)context;
}

static bool ending(void *context)
{
	(void)context;
	return true;
}

static void start(void)
{
	struct error err = {0};

	fuzz_expect(gateway_fcgi_start(&err) == 0);
}

/* A connection on which these bytes have come, and then its end. */
static int connection_with(const uint8_t *data, size_t size)
{
	int ends[2], room = 4 * PARAMS_MAX;

	fuzz_expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	fuzz_expect(size == 0 || send(ends[0], data, size, MSG_DONTWAIT) > 0);
	close(ends[0]);
	return ends[1];
}

static void serve(const uint8_t *data, size_t size)
{
	unsigned answers = 0, requests = 0;
	const struct fcgi_service service = {.arrived_ns = monotonic_ns(),
					     .allowed_ns = ANSWER_MS * INT64_C(1000000),
					     .answer = answer,
					     .answering = answering,
					     .ending = ending,
					     .context = &answers};
	struct error err = {0};
	struct input input = input_new(connection_with(data, size), MAX_BODY);
	enum input_result result = INPUT_MORE;

	while (result == INPUT_MORE || result == INPUT_REQUEST) {
		result = input_receive(&input, &err);
		fuzz_expect(result != INPUT_FAILED || err.message[0]);
		if (result != INPUT_REQUEST)
			continue;
		requests++;
		gateway_fcgi_answer(&input, &service);
		input_next(&input);
	}
	/* what has begun can be answered, however it has failed */
	if (result == INPUT_FAILED && input_has_begun(&input)) {
		requests++;
		fuzz_expect(!gateway_fcgi_answer(&input, &service) || input.keep);
	}
	fuzz_expect(answers == requests);
	/* whatever came of it, the connection is the caller's */
	fuzz_expect(close(input.fd) == 0);
	input_free(&input);
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
