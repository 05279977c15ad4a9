#include "cgi/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_is_exhaustion(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM || errnum == EAGAIN ||
	       errnum == ENOSPC;
}

int error_set(struct error *err, enum error_class class, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	err->class = class;
	err->errnum = 0;
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof err->message, fmt, ap);
	va_end(ap);
	return -1;
}

int error_errno(struct error *err, enum error_class class, int errnum, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	if (!err)
		return -1;
	if (class == ERROR_INTERNAL && error_is_exhaustion(errnum))
		class = ERROR_UNAVAILABLE;
	err->class = class;
	err->errnum = errnum;
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof err->message, fmt, ap);
	va_end(ap);
	used = strlen(err->message);
	/* strerror() is safe here: no locale is set, so the text is constant in glibc and in
	 * musl */
	snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(errnum));
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char inner[ERROR_MESSAGE_MAX];
	va_list ap;
	size_t used;

	if (!err)
		return -1;
	memcpy(inner, err->message, sizeof inner);
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof err->message, fmt, ap);
	va_end(ap);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
	return -1;
}

int error_no_memory(struct error *err)
{
	return error_set(err, ERROR_UNAVAILABLE, "out of memory: try again later");
}

int error_status(enum error_class class)
{
	switch (class) {
	case ERROR_BAD_REQUEST:
		return 400;
	case ERROR_FORBIDDEN:
		return 403;
	case ERROR_NOT_FOUND:
		return 404;
	case ERROR_METHOD:
		return 405;
	case ERROR_CONFLICT:
		return 409;
	case ERROR_STATE_GONE:
		return 410;
	case ERROR_TOO_LARGE:
		return 413;
	case ERROR_MEDIA_TYPE:
		return 415;
	case ERROR_BELOW:
		return 417;
	case ERROR_OVER_BUDGET:
		return 422;
	case ERROR_HEAD_TOO_LARGE:
		return 431;
	case ERROR_NOT_OFFERED:
		return 501;
	case ERROR_UNAVAILABLE:
		return 503;
	case ERROR_TIMEOUT:
		return 504;
	case ERROR_NONE:
	case ERROR_INTERNAL:
	case ERROR_CANCELLED:
		break;
	}
	return 500;
}
