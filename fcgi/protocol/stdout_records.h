/*
 * The body of an answer as FastCGI records of type STDOUT (FastCGI specification 1.0, sections 3.3
 * and 5.3), straight from where it lies.  libfcgi writes a record, and makes a system call, for
 * each 8 KiB: an answer of 8 MiB takes a thousand of them, and a copy.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_STDOUT_RECORDS_H
#define GOVERAGE_FCGI_PROTOCOL_STDOUT_RECORDS_H

#include <stddef.h>

#include "cgi/base/error.h"

/*
 * Send n bytes to the connection, in as few calls as it takes; whatever libfcgi has in its stream
 * for the same request must have been flushed before.  0, or -1 when the peer is gone, or took
 * nothing for as long as the socket's SO_SNDTIMEO allows: the connection is of no use any more.
 */
must_check int stdout_records_send(int connection, int request_id, const void *bytes, size_t n);

/* End the stream and the request, which is complete.  0, or -1 as above. */
must_check int stdout_records_end(int connection, int request_id);

#endif
