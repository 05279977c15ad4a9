/*
 * One answer.  It is put together whole, and leaves only then: the status line can't be followed by
 * a second one, and the length is known.
 */
#ifndef GOVERAGE_EXCHANGE_RESPONSE_H
#define GOVERAGE_EXCHANGE_RESPONSE_H

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/exchange/gateway.h"
#include "cgi/exchange/request.h"
#include "cgi/report/report.h"
#include "cgi/text/textfmt.h"
#include "cgi/text/textfmt_writer.h"

struct response {
	int status;		       /* 0 = nothing has been decided yet */
	const char *content_type;      /* NULL = no body at all (204) */
	char etag[64];		       /* with its quotes; "" = none */
	struct buffer headers;	       /* further header lines, each with its line feed */
	struct buffer text;	       /* the body, unless there is a profile */
	struct textfmt profile;	       /* the body, when it is a profile that has a text */
	struct textfmt_writer *writer; /* owned; the body, when it is written as it is sent */
	struct report *report;	       /* owned; the same for a profile in another format */
	bool out_of_memory;	       /* another answer was sent than this one, with 503 */
};

#define RESPONSE_INIT ((struct response){0})

/* Add one header; the value is ours: it holds no line feed. */
void response_header(struct response *response, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Add a Goverage-Warning: `front`, and behind it a text from anywhere, made fit for a header. */
void response_warn(struct response *response, const char *front, const char *text);

/* Turn it into the answer for an error, as text or, where the client accepts JSON, as {"error":
 * "…"}. */
void response_error(struct response *response, const struct request *request,
		    const struct error *error);

/* What the body is, in a word for the log. */
const char *response_kind(const struct response *response);

/* Bytes of the body. */
size_t response_length(const struct response *response);

/* Send it; without the body for HEAD.  0, or -1 when the peer is gone. */
int response_send(struct response *response, struct gateway *gateway, bool head_only);

void response_free(struct response *response);

#define cleanup_response cleanup_with(response_free)

#endif
