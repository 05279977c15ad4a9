#include "fcgi/protocol/gateway_fcgi.h"

#include <fcgiapp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "fcgi/protocol/head_pipe.h"
#include "fcgi/protocol/output.h"

enum { LEAST_RATE = 16 << 10 }; /* bytes that a peer must take in a second */

struct fcgi_gateway {
	struct gateway base;
	FCGX_Request request;
	bool has_parameters; /* in the request */
	const struct fcgi_service *service;
	struct input *input;
	size_t read; /* bytes of the body */
	struct output output;
};

static const char *fcgi_variable(struct gateway *gateway, const char *name)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;

	return self->has_parameters ? FCGX_GetParam(name, self->request.envp) : NULL;
}

/* The body is there: see input.h. */
static ssize_t fcgi_read(struct gateway *gateway, void *buf, size_t n,
			 const struct deadline *deadline, struct error *err)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;
	size_t left = self->input->body.len - self->read;

	(void)deadline;
	(void)err;
	if (n > left)
		n = left;
	if (n)
		memcpy(buf, self->input->body.data + self->read, n);
	self->read += n;
	return (ssize_t)n;
}

static int fcgi_write(struct gateway *gateway, const void *bytes, size_t n)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;

	return output_write(&self->output, bytes, n);
}

static bool fcgi_gone(struct gateway *gateway)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;
	struct pollfd peer = {self->input->fd, 0, 0}; /* a hang-up is always told */

	return poll(&peer, 1, 0) > 0;
}

static void fcgi_answering(struct gateway *gateway, size_t n)
{
	struct fcgi_gateway *self = (struct fcgi_gateway *)gateway;
	int64_t allowed_ns =
	    self->service->allowed_ns + (int64_t)(n / LEAST_RATE) * INT64_C(1000000000);

	self->output.deadline.at_ns = monotonic_ns() + allowed_ns;
	self->service->answering(self->service->context);
}

static void fcgi_log(void *context, const char *line, size_t len)
{
	struct fcgi_gateway *self = context;

	output_log(&self->output, line, len);
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
 * Let libfcgi read the parameters from a descriptor that holds a request of our making with nothing
 * else in it: so it sees what was looked at, and not a byte more.
 */
static int take_parameters(FCGX_Request *request, const struct input *input, struct error *err)
{
	int rc, fd = head_pipe_borrow(&input->params, err);

	if (fd < 0)
		return -1;
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
	request->ipcFd = -1;
	if (rc == 0)
		return 0;
	FCGX_Free(request, 0);
	return error_set(err, ERROR_BAD_REQUEST, "libfcgi refused the request");
}

/* See output_end(). */
static bool is_watched(struct gateway *gateway)
{
	static const char nginx[] = "nginx";
	const char *server = fcgi_variable(gateway, "SERVER_SOFTWARE");

	return server && strncmp(server, nginx, sizeof nginx - 1) == 0;
}

static void answer(struct fcgi_gateway *self)
{
	struct input *input = self->input;
	struct error err = {0};

	/* of what has failed before its body came there are none */
	self->has_parameters = input->state >= INPUT_STDIN && !input->too_large &&
			       take_parameters(&self->request, input, &err) == 0;
	if (self->has_parameters)
		input->watched = is_watched(&self->base);
	self->service->answer(&self->base, err.class == ERROR_NONE ? NULL : &err,
			      self->service->context);
}

/* What libfcgi has in its streams, nothing, goes nowhere. */
static void free_parameters(struct fcgi_gateway *self)
{
	if (self->has_parameters)
		FCGX_Free(&self->request, 0);
}

bool gateway_fcgi_answer(struct input *input, const struct fcgi_service *service)
{
	struct fcgi_gateway self = {
	    .base =
		{
		    .variable = fcgi_variable,
		    .read = fcgi_read,
		    .write = fcgi_write,
		    .stream_ends_with_body = true,
		    .arrived_ns = service->arrived_ns,
		    .gone = fcgi_gone,
		    .answering = fcgi_answering,
		    .log = fcgi_log,
		},
	    .service = service,
	    .input = input,
	    .output =
		{
		    .fd = input->fd,
		    .request_id = input->request_id,
		    .deadline = {monotonic_ns() + service->allowed_ns, -1},
		},
	};
	bool keep;

	answer(&self);
	keep = service->ending(service->context) && input->keep && input->state == INPUT_COMPLETE &&
	       !self.output.failed;
	output_end(&self.output, keep || !input->keep ? OUTPUT_THEN_ANY
				 : input->watched     ? OUTPUT_THEN_LAST
						      : OUTPUT_THEN_END);
	free_parameters(&self);
	return keep && !self.output.failed;
}
