/*
 * The request that comes in on a FastCGI connection (FastCGI specification 1.0, 3.3 to 5.3):
 * records become a head and a body, without ever waiting for the peer.  libfcgi can't be trusted
 * with that: it waits, and it allocates whatever a record announces.
 *
 * One connection carries one request after the other.  Whoever begins a second one meanwhile is
 * told FCGI_CANT_MPX_CONN; records of other requests are dropped.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_INPUT_H
#define GOVERAGE_FCGI_PROTOCOL_INPUT_H

#include <stdbool.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "fcgi/protocol/params.h"

enum input_state {
	INPUT_NONE, /* no request has begun */
	INPUT_PARAMS,
	INPUT_STDIN,
	INPUT_COMPLETE, /* all of it has been read: the connection can carry another one */
};

struct input {
	int fd; /* the connection; not owned */
	enum input_state state;
	unsigned
	    request_id;	   /* of the request; of the last one with INPUT_NONE, 0 before the first */
	bool keep;	   /* the peer wants to send further requests (FCGI_KEEP_CONN) */
	bool watched;	   /* the peer looks at a connection without a request: see output_end() */
	bool too_large;	   /* its parameters are over PARAMS_MAX, and are not there */
	struct buffer raw; /* what has come behind the last whole record */
	struct buffer params;
	struct params_walk walk;
	struct buffer body; /* one byte more than max_body at most */
	size_t max_body;
	size_t dropped; /* bytes of both streams that were over the limits */
};

enum input_result {
	INPUT_MORE,    /* wait for more */
	INPUT_REQUEST, /* a request is there */
	INPUT_CLOSED, /* the peer has closed a connection on which it had nothing to say any more */
	INPUT_FAILED, /* see input_receive() */
};

/* Of a connection that was just accepted. */
struct input input_new(int fd, size_t max_body);

/*
 * Take what has come, without waiting.  INPUT_FAILED with ERROR_BAD_REQUEST when what came is no
 * request, was aborted or broke off, ERROR_HEAD_TOO_LARGE, ERROR_UNAVAILABLE when memory runs out:
 * where a request has begun, its client can be told.
 */
must_check enum input_result input_receive(struct input *input, struct error *err);

/* Has a request begun, so that it can be answered? */
bool input_has_begun(const struct input *input);

/* Has a request been answered on this connection, and nothing of another one come? */
bool input_is_idle(const struct input *input);

/* Bytes of memory that it holds. */
size_t input_size(const struct input *input);

/* The request has been answered: be ready for the next one, of which a part may have come. */
void input_next(struct input *input);

void input_free(struct input *input);

#endif
