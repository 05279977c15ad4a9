#include "fcgi/server/connections.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "cgi/base/log.h"
#include "fcgi/protocol/output.h"

enum {
	RETIRED_MS = 500, /* for a request that was under way when its connection was retired */
	MOMENT_MS = 50,
	NEW_MS = 1000,	       /* for the first request: who connects is about to send it */
	IDLE_MS = 75000,       /* for another request; web servers close an idle one after 60 s */
	INPUT_MOST = 64 << 20, /* bytes of requests that are coming in */
};

static int64_t ms_in_ns(int64_t ms)
{
	return ms * INT64_C(1000000);
}

/* --- connections without a request ----------------------------------------------------------- */

/* Be told when something comes, once. */
static void await(struct connections *connections, struct connection *connection)
{
	int how = connection->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};

	/* what has come behind the last request is looked at at once: there is room for output */
	if (connection->input.raw.len && connection->list == &connections->resting &&
	    connection->state != CONNECTION_DRAINING)
		event.events |= EPOLLOUT;
	connection->registered = true;
	if (epoll_ctl(connections->epoll, how, connection->fd, &event) < 0)
		connection->state = CONNECTION_DRAINING; /* its time is short */
}

void connections_put_to_rest(struct connections *connections, struct connection *connection)
{
	connection_list_add(&connections->resting, connection);
	await(connections, connection);
}

/* Have the peer not use a connection again on which it has no request. */
static void retire(struct connection *connection)
{
	if (!connection->input.watched) {
		connection_free(connection);
		return;
	}
	output_say_last(connection->fd, connection->input.request_id);
	connection->state = CONNECTION_RETIRED;
	connection->since_ns = monotonic_ns();
}

/* --- refusing -------------------------------------------------------------------------------- */

/* Answer with an error, which is counted or has a line of its own in the log. */
static void refuse(struct connections *connections, struct connection *connection,
		   const struct error *err, struct event_count *count)
{
	bool may_stay = connections->phase == CONNECTIONS_SERVED ||
			(connections->phase == CONNECTIONS_FINISHED && !connection->input.watched);
	bool of_use = false;

	if (count)
		count->untold++;
	if (input_has_begun(&connection->input))
		of_use = connection_refuse(connection, err, count, may_stay);
	else if (!count)
		log_line("connection dropped: %s", err->message);
	if (of_use)
		connections_put_to_rest(connections, connection);
	else
		connection_free(connection);
}

static void refuse_overload(struct connections *connections, struct connection *connection)
{
	struct error busy;

	error_set(&busy, ERROR_UNAVAILABLE,
		  "there are too many requests at once: try again in a moment, or set "
		  "GOVERAGE_WORKERS or GOVERAGE_CONNECTIONS to more");
	refuse(connections, connection, &busy, &connections->refused);
}

/* --- reading requests ------------------------------------------------------------------------ */

static void stop_reading(struct connections *connections, struct connection *connection)
{
	connection_list_remove(connection);
	connections->input_size -= input_size(&connection->input);
}

/* It is in the list of those that are read, and stays there until its request is there. */
static void read_on(struct connections *connections, struct connection *connection)
{
	struct error err = {0};
	size_t size = input_size(&connection->input);
	enum input_result result = input_receive(&connection->input, &err);

	connections->input_size += input_size(&connection->input) - size;
	if (result == INPUT_MORE && !input_is_idle(&connection->input)) {
		await(connections, connection);
		return;
	}
	stop_reading(connections, connection);
	if (result == INPUT_MORE)
		connections_put_to_rest(connections, connection);
	else if (result == INPUT_CLOSED)
		connection_free(connection);
	else if (result == INPUT_FAILED)
		refuse(connections, connection, &err, NULL);
	else if (!workers_give(connections->workers, connection))
		refuse_overload(connections, connection);
}

void connections_start(struct connections *connections, struct connection *connection)
{
	connection->since_ns = monotonic_ns();
	connection_list_add(&connections->reading, connection);
	connections->input_size += input_size(&connection->input);
	read_on(connections, connection);
}

/* Drop what comes.  False at the end. */
static bool drain(const struct connection *connection)
{
	char piece[4096];

	return recv(connection->fd, piece, sizeof piece, MSG_DONTWAIT) > 0;
}

/* Something has come. */
void connections_ready(struct connections *connections, struct connection *connection)
{
	if (connection->list == &connections->reading) {
		read_on(connections, connection);
	} else if (connection->state != CONNECTION_DRAINING) {
		connection_list_remove(connection);
		connections_start(connections, connection);
	} else if (drain(connection)) {
		await(connections, connection);
	} else {
		connection_free(connection);
	}
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void refuse_reading(struct connections *connections, struct connection *connection,
			   const struct error *err, struct event_count *count)
{
	stop_reading(connections, connection);
	refuse(connections, connection, err, count);
}

/* Whose request has been coming in for longest makes room for one that comes in one piece. */
static void refuse_unfinished(struct connections *connections, struct connection *connection)
{
	struct error slow;

	error_set(&slow, ERROR_UNAVAILABLE,
		  "the request came in too slowly while others needed its place: try again in a "
		  "moment, or set GOVERAGE_CONNECTIONS to more");
	refuse_reading(connections, connection, &slow, &connections->dropped);
}

static void close_resting(struct connection *connection)
{
	if (connection->state == CONNECTION_OPEN && connection->input.watched)
		retire(connection);
	connection_free(connection);
}

/* Closing it would lose the request that is on its way. */
static bool is_new(const struct connection *connection, int64_t now_ns)
{
	return !input_has_begun(&connection->input) &&
	       now_ns - connection->since_ns < ms_in_ns(NEW_MS);
}

/* Whose place another one may have, or NULL. */
static struct connection *dispensable(const struct connections *connections)
{
	bool unfinished = connections->reading.n > LIMITS_UNFINISHED / 2 || !connections->resting.n;
	struct connection *connection = unfinished ? connections->reading.first : NULL;
	int64_t now_ns = monotonic_ns();

	while (connection && is_new(connection, now_ns))
		connection = connection->next;
	return connection ? connection : connections->resting.first;
}

static size_t held(const struct connections *connections)
{
	return workers_held(connections->workers) + connections_n(connections);
}

bool connections_have_room(const struct connections *connections)
{
	return held(connections) < connections->most || dispensable(connections);
}

void connections_bound(struct connections *connections)
{
	while (connections->reading.n > 1 && connections->input_size > INPUT_MOST)
		refuse_unfinished(connections, connections->reading.first);
	while (connections_n(connections) && held(connections) > connections->most) {
		struct connection *connection = dispensable(connections);

		if (connection && connection->list == &connections->resting)
			close_resting(connection);
		else
			refuse_unfinished(connections,
					  connection ? connection : connections->reading.first);
	}
}

/* --- time-outs ------------------------------------------------------------------------------- */

static void expire_reading(struct connections *connections, int64_t now_ns)
{
	int64_t allowed_ns = ms_in_ns(connections->app->settings.timeout_s * INT64_C(1000));
	struct error err;

	while (connections->reading.first &&
	       (connections->phase == CONNECTIONS_GIVEN_UP ||
		now_ns - connections->reading.first->since_ns >= allowed_ns)) {
		error_set(&err,
			  connections->phase == CONNECTIONS_GIVEN_UP ? ERROR_UNAVAILABLE
								     : ERROR_TIMEOUT,
			  "the request's %s did not arrive in time%s",
			  connections->reading.first->input.state == INPUT_STDIN ? "body" : "head",
			  connections->phase == CONNECTIONS_GIVEN_UP ? ": the responder ends" : "");
		refuse_reading(connections, connections->reading.first, &err, NULL);
	}
}

/* At the end a connection whose peer can't be told is closed when it has been idle for a moment:
 * who is about to send a request does not rest. */
static bool has_rested(const struct connections *connections, const struct connection *connection,
		       int64_t now_ns)
{
	int64_t ms = connection->state != CONNECTION_OPEN	? RETIRED_MS
		     : connections->phase == CONNECTIONS_SERVED ? IDLE_MS
		     : connection->input.watched		? 0
								: MOMENT_MS;

	return connections->phase == CONNECTIONS_GIVEN_UP ||
	       now_ns - connection->since_ns >= ms_in_ns(ms);
}

static void expire_resting(struct connections *connections, int64_t now_ns)
{
	struct connection *connection, *next;

	for (connection = connections->resting.first; connection; connection = next) {
		next = connection->next;
		if (!has_rested(connections, connection, now_ns))
			continue;
		if (connection->state == CONNECTION_OPEN)
			retire(connection);
		else
			connection_free(connection);
	}
}

static void refuse_overdue(struct connections *connections)
{
	struct connection *connection;

	while ((connection = workers_take_overdue(connections->workers)))
		refuse_overload(connections, connection);
}

static void log_counts(struct connections *connections, int64_t now_ns)
{
	unsigned long refused = event_count_due(&connections->refused, now_ns);
	unsigned long dropped = event_count_due(&connections->dropped, now_ns);

	if (refused)
		log_line("too many requests at once: refused=%lu status=503 waiting=%zu", refused,
			 workers_waiting(connections->workers));
	if (dropped)
		log_line("too many connections on which no whole request comes: dropped=%lu",
			 dropped);
}

void connections_look(struct connections *connections)
{
	int64_t now_ns = monotonic_ns();

	refuse_overdue(connections);
	expire_reading(connections, now_ns);
	expire_resting(connections, now_ns);
	log_counts(connections, now_ns);
}

bool connections_are_quiet(const struct connections *connections)
{
	return connections_n(connections) == 0 && connections->refused.untold == 0 &&
	       connections->dropped.untold == 0;
}

size_t connections_n(const struct connections *connections)
{
	return connections->reading.n + connections->resting.n;
}

void connections_free(struct connections *connections)
{
	while (connections->reading.first)
		connection_free(connections->reading.first);
	while (connections->resting.first)
		connection_free(connections->resting.first);
}
