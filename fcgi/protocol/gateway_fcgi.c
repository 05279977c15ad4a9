#include "fcgi/protocol/gateway_fcgi.h"

#include <fcgiapp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "fcgi/protocol/bare_answer.h"
#include "fcgi/protocol/head_pipe.h"
#include "fcgi/protocol/request_head.h"
#include "fcgi/protocol/peer_timeout.h"
#include "fcgi/protocol/stdin_stream.h"
#include "fcgi/protocol/stdout_records.h"

/* As long as the buffer of libfcgi's stream: what is longer does not go through it. */
enum { LONG_WRITE = 8192 };

struct fcgi_gateway {
	struct gateway base;
	FCGX_Request request;
	const struct fcgi_events *events;
	struct request_head head;
	struct stdin_stream body; /* in the room of the head */
};

static const char *fcgi_variable(struct gateway *gateway, const char *name)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;

	return FCGX_GetParam(name, self->request.envp);
}

static ssize_t fcgi_read(struct gateway *gateway, void *buf, size_t n,
			 const struct deadline *deadline, struct error *err)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;
	ssize_t got;

	if (deadline_left_ms(deadline) == 0)
		return error_set(err, ERROR_TIMEOUT, "the request body did not arrive in time");
	got = stdin_stream_read(&self->body, buf, n);
	/* the watchdog's bite looks like an early end */
	if (got < 0 && deadline_left_ms(deadline) == 0)
		return error_set(err, ERROR_TIMEOUT, "the request body did not arrive in time");
	if (got < 0)
		return error_set(
		    err, ERROR_BAD_REQUEST,
		    "the request body broke off: the connection was closed or stayed silent");
	if ((size_t)got < n)
		self->events->input_complete(self->events->context);
	return got;
}

/* A head, or one short span of many: libfcgi collects these. */
static int write_short(struct fcgi_gateway *self, const char *bytes, size_t n)
{
	return FCGX_PutStr(bytes, (int)n, self->request.out) < (int)n ? -1 : 0;
}

static int fcgi_write(struct gateway *gateway, const void *bytes, size_t n)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;

	if (n < LONG_WRITE)
		return write_short(self, bytes, n);
	if (FCGX_FFlush(self->request.out) < 0)
		return -1;
	if (stdout_records_send(self->request.ipcFd, self->request.requestId, bytes, n) == 0)
		return 0;
	/* what libfcgi says at the end must not be taken for the rest of a record */
	shutdown(self->request.ipcFd, SHUT_RDWR);
	return -1;
}

static bool fcgi_gone(struct gateway *gateway)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;
	struct pollfd peer = {self->request.ipcFd, 0, 0}; /* a hang-up is always told */

	return poll(&peer, 1, 0) > 0;
}

static void fcgi_answering(struct gateway *gateway, size_t n)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;

	/* what is short goes into the socket whatever the peer does */
	if (n >= LONG_WRITE)
		peer_timeout_set(self->request.ipcFd, SO_SNDTIMEO);
	self->events->output_begins(n, self->events->context);
}

static void fcgi_log(void *context, const char *line, size_t len)
{
	struct fcgi_gateway *self = context;

	FCGX_PutStr(line, (int)len, self->request.err);
	FCGX_FFlush(self->request.err);
}

int gateway_fcgi_start(struct error *err)
{
	if (FCGX_Init() != 0)
		return error_set(err, ERROR_INTERNAL, "libfcgi could not be initialised");
	/* libfcgi has put a handler there; a signal that is ignored wakes nobody */
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/*
 * Let libfcgi read the head from a descriptor that holds nothing else: so it sees what was looked
 * at, and not a byte more.  Then the connection takes that one's place, for the answer.
 */
static int accept_head(FCGX_Request *request, int connection, int fd, struct error *err)
{
	int rc;

	FCGX_InitRequest(request, -1, 0);
	/*
	 * With these two fields FCGX_Accept_r() reads a request from this descriptor instead of
	 * accepting one, and closes it where it can't.  The header calls them private; they are the
	 * same in every release from 2.4.0 to 2.4.7.
	 */
	request->ipcFd = fd;
	request->keepConnection = 1;
	rc = FCGX_Accept_r(request);
	head_pipe_give_back(fd, rc < 0);
	request->ipcFd = rc < 0 ? -1 : connection;
	if (rc == 0)
		return 0;
	FCGX_Free(request, 0);
	return error_set(err, ERROR_BAD_REQUEST, "libfcgi refused the request");
}

/* -1 with the reason; *can_tell is the id of the request where its client can be told it, or 0. */
static int take_request(struct fcgi_gateway *self, int connection, const struct deadline *deadline,
			unsigned *can_tell, struct error *err)
{
	int fd;

	*can_tell = 0;
	if (request_head_read(&self->head, connection, deadline, err) < 0)
		return -1;
	fd = head_pipe_borrow(self->head.bytes, self->head.len, err);
	if (fd < 0) {
		*can_tell = self->head.request_id;
		return -1;
	}
	if (accept_head(&self->request, connection, fd, err) < 0)
		return -1;
	stdin_stream_init(&self->body, connection, &self->head);
	return 0;
}

/* The stream that is closed last sends the end of the request: so it goes out with the answer. */
static void finish(struct fcgi_gateway *self)
{
	FCGX_FClose(self->request.err);
	FCGX_FClose(self->request.out);
	if (!self->body.ended)
		stdin_stream_drop(self->request.ipcFd);
	FCGX_Free(&self->request, 0);
}

int gateway_fcgi_serve(int connection, const struct fcgi_events *events,
		       const struct deadline *deadline, struct error *err)
{
	struct fcgi_gateway self = {
	    .base =
		{
		    .variable = fcgi_variable,
		    .read = fcgi_read,
		    .write = fcgi_write,
		    .stream_ends_with_body = true,
		    .arrived_ns = events->arrived_ns,
		    .gone = fcgi_gone,
		    .answering = fcgi_answering,
		    .log = fcgi_log,
		},
	    .events = events,
	    .head = REQUEST_HEAD_INIT,
	};
	unsigned can_tell;
	int rc;

	rc = take_request(&self, connection, deadline, &can_tell, err);
	if (rc == 0)
		events->answer(&self.base, events->context);
	events->output_ends(events->context);
	if (rc == 0)
		finish(&self);
	else if (can_tell)
		bare_answer(connection, (int)can_tell, err);
	request_head_free(&self.head);
	return can_tell ? 0 : rc;
}
