#include "fcgi/server/connection.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgi/handle.h"

struct connection *connection_new(int fd, size_t max_body)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (!connection) {
		close(fd);
		return NULL;
	}
	connection->fd = fd;
	connection->input = input_new(fd, max_body);
	connection->since_ns = monotonic_ns();
	return connection;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	if (connection->list)
		connection_list_remove(connection);
	close(connection->fd);
	input_free(&connection->input);
	free(connection);
}

/* --- lists ----------------------------------------------------------------------------------- */

void connection_list_add(struct connection_list *list, struct connection *connection)
{
	connection->list = list;
	connection->next = NULL;
	connection->previous = list->last;
	if (list->last)
		list->last->next = connection;
	else
		list->first = connection;
	list->last = connection;
	list->n++;
}

void connection_list_remove(struct connection *connection)
{
	struct connection_list *list = connection->list;

	if (connection->previous)
		connection->previous->next = connection->next;
	else
		list->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	else
		list->last = connection->previous;
	list->n--;
	connection->list = NULL;
}

struct connection *connection_list_take(struct connection_list *list)
{
	struct connection *first = list->first;

	if (first)
		connection_list_remove(first);
	return first;
}

/* --- answering ------------------------------------------------------------------------------- */

/* The request has been answered.  Is there any further use for the connection? */
static bool is_of_use(struct connection *connection, bool keep)
{
	bool whole = connection->input.state == INPUT_COMPLETE;

	if (!keep && whole)
		return false;
	connection->since_ns = monotonic_ns();
	if (keep) {
		input_next(&connection->input);
		return true;
	}
	shutdown(connection->fd, SHUT_WR);
	connection->state = CONNECTION_DRAINING;
	return true;
}

struct serving {
	struct app *app;
	const struct connection *connection;
	const struct connection_events *events;
};

static void serve(struct gateway *gateway, const struct error *err, void *context)
{
	const struct serving *self = context;

	if (err)
		handle_refusal(gateway, err);
	else
		handle_request(self->app, gateway);
}

static void serve_answering(void *context)
{
	const struct serving *self = context;

	self->events->answering(self->events->context);
}

static bool serve_ending(void *context)
{
	const struct serving *self = context;

	return self->events->ending(self->events->context) &&
	       self->connection->state == CONNECTION_OPEN;
}

bool connection_serve(struct connection *connection, struct app *app,
		      const struct connection_events *events)
{
	struct serving self = {app, connection, events};
	const struct fcgi_service service = {
	    .arrived_ns = connection->since_ns,
	    .allowed_ns = app->settings.timeout_s * INT64_C(1000000000),
	    .answer = serve,
	    .answering = serve_answering,
	    .ending = serve_ending,
	    .context = &self,
	};

	return is_of_use(connection, gateway_fcgi_answer(&connection->input, &service));
}

struct refusing {
	const struct error *err;
	bool counted, may_stay;
};

static void refuse(struct gateway *gateway, const struct error *err, void *context)
{
	const struct refusing *self = context;

	(void)err; /* with or without parameters, this is the answer */
	if (self->counted)
		handle_overload(gateway, self->err);
	else
		handle_refusal(gateway, self->err);
}

static void refuse_answering(void *context)
{
	(void)context;
}

static bool refuse_ending(void *context)
{
	const struct refusing *self = context;

	return self->may_stay;
}

bool connection_refuse(struct connection *connection, const struct error *err, bool counted,
		       bool may_stay)
{
	struct refusing self = {err, counted, may_stay && connection->state == CONNECTION_OPEN};
	const struct fcgi_service service = {
	    .arrived_ns = connection->since_ns,
	    .allowed_ns = 0, /* it is short: it finds room, or nobody takes anything */
	    .answer = refuse,
	    .answering = refuse_answering,
	    .ending = refuse_ending,
	    .context = &self,
	};

	return is_of_use(connection, gateway_fcgi_answer(&connection->input, &service));
}
