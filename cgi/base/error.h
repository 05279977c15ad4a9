/*
 * The error convention of the whole program.
 *
 * A fallible function returns 0 (or a count, or a non-NULL pointer) and leaves *err alone, or
 * returns -1 (or NULL) and has filled *err: a class, which is what the caller acts on, and one
 * sentence for a person.  Errors are made only by error_set() and error_errno(), whose value is the
 * failure value, so that `return error_set(err, ...)` can't forget one half.  On the way up
 * error_prefix() adds context in front.  The class maps to an HTTP status in one place,
 * error_status().
 */
#ifndef GOVERAGE_BASE_ERROR_H
#define GOVERAGE_BASE_ERROR_H

#include <stdbool.h>

#include "cgi/base/cleanup.h"

enum error_class {
	ERROR_NONE = 0,
	ERROR_BAD_REQUEST,    /* 400: the request is malformed */
	ERROR_FORBIDDEN,      /* 403: understood, and not done */
	ERROR_NOT_FOUND,      /* 404 */
	ERROR_METHOD,	      /* 405: known path, other method */
	ERROR_CONFLICT,	      /* 409: the data can't be joined (different counter modes) */
	ERROR_STATE_GONE,     /* 410: an earlier state is no longer held */
	ERROR_TOO_LARGE,      /* 413: the body is over the limit */
	ERROR_MEDIA_TYPE,     /* 415: the body is coded in a way that is not read here */
	ERROR_BELOW,	      /* 417: less has run than the request demands */
	ERROR_OVER_BUDGET,    /* 422: a pattern costs too much */
	ERROR_HEAD_TOO_LARGE, /* 431: the head is over the limit */
	ERROR_INTERNAL,	      /* 500: misconfiguration, or a failing covdata */
	ERROR_NOT_OFFERED,    /* 501: what another program does under this path */
	ERROR_UNAVAILABLE,    /* 503: no data yet, or out of descriptors, processes or memory */
	ERROR_TIMEOUT,	      /* 504: a deadline has passed */
	ERROR_CANCELLED,      /* nobody waits for the answer any more; none is sent */
};

#define ERROR_MESSAGE_MAX 1024

struct error {
	enum error_class class;
	int errnum; /* of error_errno(): a system call has failed, which may pass; else 0 */
	char message[ERROR_MESSAGE_MAX]; /* UTF-8, NUL-terminated, cut off when longer */
};

/* Fill *err (which may be NULL).  Always returns -1. */
int error_set(struct error *err, enum error_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Does errnum say that the machine is out of something?  That passes. */
bool error_is_exhaustion(int errnum);

/*
 * As error_set(), with ": " and the text of errnum behind the message.  The class ERROR_INTERNAL
 * becomes ERROR_UNAVAILABLE where errnum says that the machine is out of something (EMFILE, ENFILE,
 * ENOMEM, EAGAIN, ENOSPC): that passes, a misconfiguration does not.  Always returns -1.
 */
int error_errno(struct error *err, enum error_class class, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Put context in front of the message of a filled *err.  Always returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Out of memory, in one sentence (503).  Always returns -1. */
int error_no_memory(struct error *err);

/* The HTTP status for a class: 400 … 504; 500 for the classes that have none of their own. */
int error_status(enum error_class class);

#endif
