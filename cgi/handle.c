#include "cgi/handle.h"

#include <string.h>

#include "cgi/base/fair_semaphore.h"
#include "cgi/base/log.h"
#include "cgi/exchange/cross_site.h"
#include "cgi/exchange/request.h"
#include "cgi/exchange/response.h"
#include "cgi/routes.h"

/* How long the body of a request is waited for that is refused whatever it says. */
enum { REFUSAL_MS = 10000, OVERLOAD_MS = 2000 };

static int check_head(const struct request *request, struct error *err)
{
	if (request->refused == 411)
		return error_set(err, ERROR_BAD_REQUEST,
				 "the web server wants the length of the body: send a body, of no "
				 "bytes as well (curl -d '')");
	if (request->refused)
		return error_set(err, ERROR_BAD_REQUEST,
				 "the web server refused the request: status %d", request->refused);
	if (request->method && *request->method)
		return 0;
	return error_set(
	    err, ERROR_INTERNAL,
	    "the web server sent no REQUEST_METHOD: its FastCGI parameters are missing from the "
	    "configuration (nginx: include fastcgi_params;)");
}

static int answer_options(struct response *response, const struct route *route)
{
	response->status = 204;
	response_header(response, "Allow", "%s", route->allow);
	return 0;
}

/* The work itself, in turn; for a client that has given up while it waited there is none. */
static int answer_in_turn(struct exchange *exchange, const struct route *route, struct error *err)
{
	struct fair_semaphore *turns = exchange->app->turns;
	struct gateway *gateway = exchange->gateway;
	int rc, waited = semaphore_acquire(turns, &exchange->deadline, err);

	if (waited < 0)
		return -1;
	if (waited && gateway->gone && gateway->gone(gateway))
		rc = error_set(err, ERROR_CANCELLED, "the client is gone");
	else
		rc = route->handle(exchange, err);
	semaphore_release(turns);
	return rc;
}

static int answer_by_route(struct exchange *exchange, struct error *err)
{
	const struct request *request = exchange->request;
	const struct route *route = routes_find(request, err);

	if (!route)
		return -1;
	if (!route_allows(route, request->method)) {
		response_header(exchange->response, "Allow", "%s", route->allow);
		return error_set(err, ERROR_METHOD, "%.32s is not answered here: use one of %s",
				 request->method, route->allow);
	}
	if (strcmp(request->method, "OPTIONS") == 0)
		return answer_options(exchange->response, route);
	if (route->changes && cross_site_check(request, err) < 0)
		return -1;
	return answer_in_turn(exchange, route, err);
}

/* Everything up to the answer; the body is read first, since what is left unread breaks
 * connections. */
static int answer(struct exchange *exchange, struct request *request, struct error *err)
{
	const struct settings *settings = &exchange->app->settings;

	if (request_read_body(request, exchange->gateway, (size_t)settings->max_body,
			      &exchange->deadline, err) < 0)
		return -1;
	if (check_head(request, err) < 0)
		return -1;
	return answer_by_route(exchange, err);
}

static void log_incoming(const struct request *request)
{
	log_line("incoming request method=%.32s path=%.512s remote=%.64s%s%.8s ua=%.512s",
		 request->method ? request->method : "-", buffer_str(&request->path),
		 *request->remote_addr ? request->remote_addr : "-",
		 *request->remote_port ? ":" : "", request->remote_port,
		 *request->user_agent ? request->user_agent : "-");
}

static void log_outcome(const struct response *response, const struct error *err, int sent,
			int64_t started_ns)
{
	double ms = (double)(monotonic_ns() - started_ns) / 1e6;

	if (sent < 0)
		log_line("client is gone: answer not delivered status=%d bytes=%zu duration=%.1fms",
			 response->status, response_length(response), ms);
	else if (err->class != ERROR_NONE || response->out_of_memory)
		log_line("request failed status=%d duration=%.1fms error=%s", response->status, ms,
			 response->out_of_memory ? "out of memory" : err->message);
	else
		log_line("served %s bytes=%zu duration=%.1fms", response_kind(response),
			 response_length(response), ms);
}

/* 0, or -1 when the client is gone. */
static int finish(struct response *response, struct request *request, struct gateway *gateway,
		  const struct error *err)
{
	bool head = request->method && strcmp(request->method, "HEAD") == 0;

	if (err->class != ERROR_NONE)
		response_error(response, request, err);
	if (request->refused)
		response->status = request->refused;
	return err->class == ERROR_CANCELLED ? 0 : response_send(response, gateway, head);
}

void handle_request(struct app *app, struct gateway *gateway)
{
	cleanup_request struct request request = REQUEST_INIT;
	cleanup_response struct response response = RESPONSE_INIT;
	struct error err = {0};
	int sent;
	int64_t started_ns = gateway->arrived_ns ? gateway->arrived_ns : monotonic_ns();
	int64_t allowed_ns = app->settings.timeout_s * INT64_C(1000000000);
	struct exchange exchange = {
	    .app = app,
	    .gateway = gateway,
	    .request = &request,
	    .response = &response,
	    .deadline = {started_ns + allowed_ns, app->cancel_fd},
	};

	log_request_sink(gateway->log, gateway);
	if (request_read_head(&request, gateway, &err) == 0) {
		log_incoming(&request);
		if (answer(&exchange, &request, &err) == 0)
			err.class = ERROR_NONE;
	}
	sent = finish(&response, &request, gateway, &err);
	log_outcome(&response, &err, sent, started_ns);
	log_request_sink(NULL, NULL);
}

/* The refusal is the answer whatever the body is; it is read all the same. */
static void drop_body(struct request *request, struct gateway *gateway, int64_t ms)
{
	struct deadline deadline = deadline_in_ms(ms, -1);
	struct error ignored = {0};

	if (request_read_body(request, gateway, 0, &deadline, &ignored) < 0)
		return;
}

void handle_refusal(struct gateway *gateway, const struct error *error)
{
	cleanup_request struct request request = REQUEST_INIT;
	cleanup_response struct response response = RESPONSE_INIT;
	struct error ignored = {0};
	int64_t started_ns = monotonic_ns();

	if (request_read_head(&request, gateway, &ignored) == 0) {
		log_incoming(&request);
		drop_body(&request, gateway, REFUSAL_MS);
	}
	log_outcome(&response, error, finish(&response, &request, gateway, error), started_ns);
}

void handle_overload(struct gateway *gateway, const struct error *error)
{
	cleanup_request struct request request = REQUEST_INIT;
	cleanup_response struct response response = RESPONSE_INIT;
	struct error ignored = {0};

	if (request_read_head(&request, gateway, &ignored) == 0)
		drop_body(&request, gateway, OVERLOAD_MS);
	if (finish(&response, &request, gateway, error) < 0)
		return; /* who is gone needs no refusal */
}
