#include "fcgi/gateway_fcgi.h"

#include <fcgiapp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/bare_answer.h"
#include "fcgi/params_scan.h"
#include "fcgi/silence.h"
#include "fcgi/stdin_stream.h"
#include "fcgi/stdout_records.h"

/* As long as the buffer of libfcgi's stream: what is longer does not go through it. */
enum { LONG_WRITE = 8192 };

struct fcgi_gateway {
	struct gateway base;
	FCGX_Request request;
	const struct fcgi_events *events;
	struct stdin_stream body;
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
		silence_limit(self->request.ipcFd, SO_SNDTIMEO);
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
	/* closing waits up to 2 s for a peer that does not close; 200 ms is enough on one machine
	 */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 0);
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 0);
	if (FCGX_Init() != 0)
		return error_set(err, ERROR_INTERNAL, "libfcgi could not be initialised");
	return 0;
}

/* A file that holds the head and nothing else.  -1 with the reason. */
static int head_file(const unsigned char *head, size_t len, struct error *err)
{
	cleanup_fd int fd = memfd_create("request", MFD_CLOEXEC);

	/* its offset stays at the start; a file in memory takes all at once, or can't */
	if (fd < 0 || pwrite(fd, head, len, 0) != (ssize_t)len)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make a memory file");
	return steal_fd(&fd);
}

/*
 * Let libfcgi read the head from its file, which is taken over: so it sees what was looked at, and
 * not a byte more.  Then the connection takes the file's place, for the answer.
 */
static int accept_head(FCGX_Request *request, int connection, int fd, struct error *err)
{
	FCGX_InitRequest(request, -1, 0);
	/*
	 * With these two fields FCGX_Accept_r() reads a request from this descriptor instead of
	 * accepting one.  The header calls them private; they are the same in every release
	 * from 2.4.0 to 2.4.7.
	 */
	request->ipcFd = fd;
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) < 0) {
		FCGX_Free(request, 1);
		return error_set(err, ERROR_BAD_REQUEST, "libfcgi refused the request");
	}
	if (dup3(connection, fd, O_CLOEXEC) < 0) {
		FCGX_Free(request, 1);
		return error_errno(err, ERROR_INTERNAL, errno, "can't copy a descriptor");
	}
	return 0;
}

/* -1 with the reason; *can_tell is the id of the request where its client can be told it, or 0. */
static int take_request(struct fcgi_gateway *self, int connection, const struct deadline *deadline,
			unsigned *can_tell, struct error *err)
{
	cleanup_free unsigned char *head = NULL;
	unsigned id;
	size_t len;
	int fd;

	*can_tell = 0;
	head = params_take(connection, &len, deadline, err);
	if (!head)
		return -1;
	id = (unsigned)head[2] << 8 | head[3];
	fd = head_file(head, len, err);
	if (fd < 0) {
		*can_tell = id;
		return -1;
	}
	if (accept_head(&self->request, connection, fd, err) < 0)
		return -1;
	stdin_stream_init(&self->body, self->request.ipcFd, id);
	return 0;
}

static void finish(FCGX_Request *request)
{
	FCGX_FClose(request->out);
	FCGX_FClose(request->err);
	FCGX_Free(request, 1);
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
	};
	cleanup_fd int taken_over = connection;
	unsigned can_tell;
	int rc;

	rc = take_request(&self, connection, deadline, &can_tell, err);
	if (rc == 0) {
		close(steal_fd(&taken_over));
		events->answer(&self.base, events->context);
	}
	events->output_ends(events->context);
	if (rc == 0)
		finish(&self.request);
	else if (can_tell)
		bare_answer(connection, (int)can_tell, err);
	return can_tell ? 0 : rc;
}
