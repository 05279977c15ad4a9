/*
 * Why a running process, or a part of it, could not be read: a kind, which is what the caller acts
 * on, and one sentence for a person.  It follows the convention of cgi/base/error.h; only the
 * classes differ, since what stops one process seldom stops the request.
 */
#ifndef GOVERAGE_LIVE_PROCESS_FAULT_H
#define GOVERAGE_LIVE_PROCESS_FAULT_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_GONE,	   /* the process has ended, or runs another program now */
	FAULT_DENIED,	   /* the system does not let this program read it */
	FAULT_UNMAPPED,	   /* no memory (or no file) at that address */
	FAULT_UNSUPPORTED, /* not laid out in a way that is known here */
	FAULT_UNSETTLED,   /* it was changing; a second look helps */
	FAULT_REQUEST,	   /* the whole request ends: deadline, cancellation, memory; see class */
};

#define FAULT_REASON_MAX 512

struct fault {
	enum fault_kind kind;
	enum error_class class;	       /* of FAULT_REQUEST */
	char reason[FAULT_REASON_MAX]; /* UTF-8 as far as its sources are; NUL-terminated */
};

#define FAULT_INIT ((struct fault){.kind = FAULT_NONE})

/* Fill *fault.  Always returns -1. */
int fault_set(struct fault *fault, enum fault_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put context in front of the reason.  Always returns -1. */
int fault_prefix(struct fault *fault, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Out of memory: FAULT_REQUEST.  Always returns -1. */
int fault_no_memory(struct fault *fault);

/*
 * What errno says of looking at a process through /proc: FAULT_GONE; FAULT_REQUEST where this
 * machine is out of something, which says nothing about the process; else FAULT_DENIED.  Always
 * returns -1.
 */
int fault_from_errno(struct fault *fault, const char *what);

/* 0 while there is time left and nobody has cancelled; otherwise -1 and FAULT_REQUEST. */
must_check int fault_check_deadline(const struct deadline *deadline, struct fault *fault);

/* The turn of this thread is over, see cgi/live/process/steps.h: FAULT_REQUEST.  Always
 * returns -1. */
int fault_turn_over(struct fault *fault);

/* Hand a FAULT_REQUEST on as the error of the request.  Always returns -1. */
int fault_to_error(const struct fault *fault, struct error *err);

#endif
