#include "cgi/exchange/gateway_cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgi/base/io.h"

static const char *cgi_variable(struct gateway *gateway, const char *name)
{
	(void)gateway;
	return getenv(name);
}

static ssize_t cgi_read(struct gateway *gateway, void *buf, size_t n,
			const struct deadline *deadline, struct error *err)
{
	ssize_t got;

	(void)gateway;
	for (;;) {
		switch (deadline_wait(deadline, STDIN_FILENO, POLLIN)) {
		case DEADLINE_PASSED:
			return error_set(err, ERROR_TIMEOUT,
					 "the request body did not arrive in time");
		case DEADLINE_CANCELLED:
			return error_set(err, ERROR_CANCELLED, "the web server ended the request");
		case DEADLINE_READY:
			break;
		}
		got = read(STDIN_FILENO, buf, n);
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return error_errno(err, ERROR_BAD_REQUEST, errno,
					   "the request body broke off");
	}
}

static int cgi_write(struct gateway *gateway, const void *bytes, size_t n)
{
	(void)gateway;
	return io_write_full(STDOUT_FILENO, bytes, n);
}

void gateway_cgi_init(struct gateway *gateway)
{
	*gateway = (struct gateway){
	    .variable = cgi_variable,
	    .read = cgi_read,
	    .write = cgi_write,
	    .stream_ends_with_body = false,
	    .log = NULL,
	};
}
