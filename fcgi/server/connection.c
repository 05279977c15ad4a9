#include "fcgi/server/connection.h"

#include <unistd.h>

#include "cgi/base/log.h"
#include "cgi/handle.h"
#include "fcgi/protocol/gateway_fcgi.h"

/* A refusal is not worth waiting for long. */
static const int64_t refusal_ns = INT64_C(5000000000);

struct conversation {
	const struct connection *connection;
	struct app *app;
	struct watchdog *watchdog;
	const struct connection_end *end;
	int64_t allowed_ns;
};

static void answer(struct gateway *gateway, void *context)
{
	struct conversation *self = context;
	struct error busy;

	if (!self->connection->refuse) {
		handle_request(self->app, gateway);
		return;
	}
	error_set(&busy, ERROR_UNAVAILABLE,
		  "there are too many requests at once: try again in a moment, or set "
		  "GOVERAGE_WORKERS or GOVERAGE_CONNECTIONS to more");
	handle_overload(gateway, &busy);
}

static void input_complete(void *context)
{
	struct conversation *self = context;

	watchdog_input_complete(self->watchdog);
}

static void output_begins(size_t n, void *context)
{
	struct conversation *self = context;

	watchdog_output(self->watchdog, n, self->allowed_ns);
}

static void output_ends(void *context)
{
	struct conversation *self = context;

	self->end->tell(self->end->context);
}

void connection_serve(const struct connection *connection, struct app *app,
		      struct watchdog *watchdog, const struct connection_end *end)
{
	struct conversation self = {connection, app, watchdog, end,
				    app->settings.timeout_s * INT64_C(1000000000)};
	const struct fcgi_events events = {
	    .arrived_ns = connection->arrived_ns,
	    .answer = answer,
	    .input_complete = input_complete,
	    .output_begins = output_begins,
	    .output_ends = output_ends,
	    .context = &self,
	};
	struct deadline deadline = {connection->arrived_ns + self.allowed_ns, -1};
	struct error err = {0};

	if (connection->refuse) {
		self.allowed_ns = refusal_ns;
		deadline.at_ns = monotonic_ns() + refusal_ns;
	}
	watchdog_begin(watchdog, connection->fd, deadline.at_ns);
	if (gateway_fcgi_serve(connection->fd, &events, &deadline, &err) < 0)
		log_line("connection dropped: %s", err.message);
	watchdog_end(watchdog);
	close(connection->fd);
}
