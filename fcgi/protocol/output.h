/*
 * The answer to a request as FastCGI records (FastCGI specification 1.0, sections 3.3 and 5.3 to
 * 5.5), long parts of it straight from where they lie.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_OUTPUT_H
#define GOVERAGE_FCGI_PROTOCOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"

enum {
	OUTPUT_SHORT = 8 << 10,		/* what is shorter is collected */
	OUTPUT_PEER_TIMEOUT_MS = 30000, /* a peer that takes not a byte for so long is given up */
};

struct output {
	int fd; /* the connection; not owned */
	unsigned request_id;
	struct deadline deadline; /* nothing is waited for beyond it */
	bool failed; /* the peer is gone, or took nothing in time; the connection is of no use */
	size_t len;  /* of what is collected: */
	unsigned char collected[OUTPUT_SHORT];
};

/* Send n bytes of the answer, or collect them.  0, or -1 when it has failed. */
must_check int output_write(struct output *output, const void *bytes, size_t n);

/* Send n bytes, of a line of the log, on the error stream. */
void output_log(struct output *output, const void *bytes, size_t n);

/* What becomes of the connection when the answer is there. */
enum output_then {
	OUTPUT_THEN_ANY,  /* whatever the peer wants */
	OUTPUT_THEN_LAST, /* the peer, which wants to send another request, is told not to */
	OUTPUT_THEN_END,  /* ... is shown the end of the connection */
};

/*
 * Send what is collected, and end the request, which is complete.
 *
 * When we close a connection, its peer may just have sent another request, of which it can't know
 * what has become.  nginx closes a connection when it finds something to read on it and has no
 * request on it: so it is told by an empty record behind the end.  Apache looks whether there is an
 * end, and takes it that there is none when there is something to read: to it nothing is said.
 */
void output_end(struct output *output, enum output_then then);

/*
 * Tell the peer, nginx, of a connection that is idle.  Where it has just sent a request, the record
 * belongs to that one's answer, and means nothing.
 */
void output_say_last(int fd, unsigned request_id);

/* End a request that is not taken: protocol_status is one of FCGI_CANT_MPX_CONN, FCGI_UNKNOWN_ROLE.
 * 0 or -1. */
must_check int output_refuse(int fd, unsigned request_id, unsigned char protocol_status,
			     struct error *err);

#endif
