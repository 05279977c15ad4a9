#include "cgi/live/process/fault.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault_set(struct fault *fault, enum fault_kind kind, const char *fmt, ...)
{
	va_list ap;

	fault->kind = kind;
	fault->class = ERROR_NONE;
	va_start(ap, fmt);
	vsnprintf(fault->reason, sizeof fault->reason, fmt, ap);
	va_end(ap);
	return -1;
}

int fault_prefix(struct fault *fault, const char *fmt, ...)
{
	char inner[FAULT_REASON_MAX];
	va_list ap;
	size_t used;

	memcpy(inner, fault->reason, sizeof inner);
	va_start(ap, fmt);
	vsnprintf(fault->reason, sizeof fault->reason, fmt, ap);
	va_end(ap);
	used = strlen(fault->reason);
	snprintf(fault->reason + used, sizeof fault->reason - used, ": %s", inner);
	return -1;
}

static int fault_request(struct fault *fault, enum error_class class, const char *reason)
{
	fault_set(fault, FAULT_REQUEST, "%s", reason);
	fault->class = class;
	return -1;
}

int fault_no_memory(struct fault *fault)
{
	return fault_request(fault, ERROR_UNAVAILABLE, "out of memory: try again later");
}

int fault_from_errno(struct fault *fault, const char *what)
{
	int errnum = errno;

	if (errnum == ENOENT || errnum == ESRCH)
		return fault_set(fault, FAULT_GONE, "it has ended");
	fault_set(fault, FAULT_DENIED, "%s: %s", what, strerror(errnum));
	if (error_is_exhaustion(errnum)) {
		fault->kind = FAULT_REQUEST;
		fault->class = ERROR_UNAVAILABLE;
	}
	return -1;
}

int fault_check_deadline(const struct deadline *deadline, struct fault *fault)
{
	struct pollfd cancel = {deadline->cancel_fd, POLLIN, 0};

	if (deadline->cancel_fd >= 0 && poll(&cancel, 1, 0) > 0)
		return fault_request(fault, ERROR_CANCELLED, "the request was given up");
	if (deadline_left_ms(deadline) == 0)
		return fault_request(fault, ERROR_TIMEOUT,
				     "reading the running processes took too long: raise "
				     "GOVERAGE_TIMEOUT, or set GOVERAGE_LIVE=off");
	return 0;
}

int fault_turn_over(struct fault *fault)
{
	return fault_request(fault, ERROR_CANCELLED, "another thread has gone on");
}

int fault_to_error(const struct fault *fault, struct error *err)
{
	return error_set(err, fault->class, "%s", fault->reason);
}
