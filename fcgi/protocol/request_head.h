/* The head of a FastCGI request as it comes in on its connection. */
#ifndef GOVERAGE_FCGI_PROTOCOL_REQUEST_HEAD_H
#define GOVERAGE_FCGI_PROTOCOL_REQUEST_HEAD_H

#include <stddef.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"

struct request_head {
	unsigned char *bytes; /* owned */
	size_t size;	      /* room for so many */
	size_t len;	      /* of the head, whose records have lost their padding */
	size_t have, body;    /* so much has come; what belongs to the body begins at `body` */
	unsigned request_id;
};

#define REQUEST_HEAD_INIT ((struct request_head){NULL, 0, 0, 0, 0, 0})

/*
 * Read until the head is complete.  -1 with ERROR_BAD_REQUEST when it is malformed, over
 * PARAMS_SCAN_MAX, or cut off; ERROR_TIMEOUT; ERROR_UNAVAILABLE when memory runs out.
 */
must_check int request_head_read(struct request_head *head, int connection,
				 const struct deadline *deadline, struct error *err);

void request_head_free(struct request_head *head);

#define cleanup_request_head cleanup_with(request_head_free)

#endif
