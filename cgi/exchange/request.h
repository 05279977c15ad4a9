/* One request, as it came through the gateway: its head, and its body within the limit. */
#ifndef GOVERAGE_EXCHANGE_REQUEST_H
#define GOVERAGE_EXCHANGE_REQUEST_H

#include "cgi/base/buffer.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/exchange/gateway.h"

struct request {
	/* meta-variables; "" where the gateway has none, but for method */
	const char *method; /* NULL where the gateway has none */
	const char *query_string;
	const char *content_type;
	const char *accept;
	const char *remote_addr;
	const char *remote_port;
	const char *user_agent;
	const char *request_uri;
	const char *if_none_match;
	const char *content_encoding;
	/* what a browser says of the page that asks */
	const char *host;
	const char *origin;
	const char *fetch_site;
	/*
	 * The status with which the web server has refused the request itself, when it asks us for
	 * the error document (REDIRECT_STATUS); 0 = it has not.  lighttpd refuses a POST without a
	 * length, 411, which is what `curl -X POST` sends: that one is answered as the request that
	 * it was, if it was for the very path of the error document.  For any other path what the
	 * web server allows is not known: its rules were asked for the document alone.
	 */
	int refused;
	struct buffer
	    query_text;	    /* private: holds query_string where it was taken out of REQUEST_URI */
	struct buffer path; /* SCRIPT_NAME + PATH_INFO: the same under every mapping */
	size_t script_len;  /* bytes of it that are SCRIPT_NAME */
	struct buffer body;
};

#define REQUEST_INIT ((struct request){0})

/* Take over the head.  0, or -1 when memory runs out; the request can be answered all the same. */
must_check int request_read_head(struct request *request, struct gateway *gateway,
				 struct error *err);

/*
 * Read the body, which must be done before anything is answered, errors included: some web servers
 * reset a connection of which something is left unread.  -1: ERROR_BAD_REQUEST for a CONTENT_LENGTH
 * that is no number and for a body that is shorter than announced, ERROR_TOO_LARGE over max_body
 * (what is over is read and dropped, up to REQUEST_MAX_DRAIN bytes), ERROR_TIMEOUT,
 * ERROR_CANCELLED.
 */
must_check int request_read_body(struct request *request, struct gateway *gateway, size_t max_body,
				 const struct deadline *deadline, struct error *err);

enum { REQUEST_MAX_DRAIN = 64 << 20 };

void request_free(struct request *request);

#define cleanup_request cleanup_with(request_free)

#endif
