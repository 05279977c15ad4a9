#include "cgi/exchange/request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/base/percent.h"

/* What CONTENT_LENGTH says of the body. */
enum length_kind {
	LENGTH_NONE, /* absent or empty: no body, unless it is chunked */
	LENGTH_KNOWN,
	LENGTH_UNKNOWN, /* "-1": there is a body, up to the end of the stream */
	LENGTH_BAD,
};

static const char *variable_or_empty(struct gateway *gateway, const char *name)
{
	const char *value = gateway->variable(gateway, name);

	return value ? value : "";
}

/* An error document's own variables describe the document; the request stands in REQUEST_URI. */
static void restore_post(struct request *request)
{
	cleanup_buffer struct buffer path = BUFFER_INIT;
	const char *uri = request->request_uri;
	size_t path_len = strcspn(uri, "?");

	if (percent_decode(&path, uri, path_len, false) < 0 || path.len != request->path.len ||
	    memcmp(path.data, request->path.data, path.len) != 0) {
		request->refused = 411;
		return;
	}
	request->method = "POST";
	buffer_puts(&request->query_text, uri[path_len] ? uri + path_len + 1 : "");
	request->query_string = buffer_str(&request->query_text);
}

static void read_refusal(struct request *request, struct gateway *gateway)
{
	int status = atoi(variable_or_empty(gateway, "REDIRECT_STATUS"));

	if (status == 411)
		restore_post(request);
	else if (status >= 400 && status <= 599)
		request->refused = status;
}

int request_read_head(struct request *request, struct gateway *gateway, struct error *err)
{
	request->method = gateway->variable(gateway, "REQUEST_METHOD");
	request->query_string = variable_or_empty(gateway, "QUERY_STRING");
	request->content_type = variable_or_empty(gateway, "CONTENT_TYPE");
	request->accept = variable_or_empty(gateway, "HTTP_ACCEPT");
	request->remote_addr = variable_or_empty(gateway, "REMOTE_ADDR");
	request->remote_port = variable_or_empty(gateway, "REMOTE_PORT");
	request->user_agent = variable_or_empty(gateway, "HTTP_USER_AGENT");
	request->request_uri = variable_or_empty(gateway, "REQUEST_URI");
	request->if_none_match = variable_or_empty(gateway, "HTTP_IF_NONE_MATCH");
	request->content_encoding = variable_or_empty(gateway, "HTTP_CONTENT_ENCODING");
	request->host = variable_or_empty(gateway, "HTTP_HOST");
	request->origin = variable_or_empty(gateway, "HTTP_ORIGIN");
	request->fetch_site = variable_or_empty(gateway, "HTTP_SEC_FETCH_SITE");
	buffer_puts(&request->path, variable_or_empty(gateway, "SCRIPT_NAME"));
	request->script_len = request->path.len;
	buffer_puts(&request->path, variable_or_empty(gateway, "PATH_INFO"));
	read_refusal(request, gateway);
	return request->path.failed || request->query_text.failed ? error_no_memory(err) : 0;
}

static enum length_kind parse_length(const char *text, uint64_t *length)
{
	uint64_t value = 0;

	if (!*text)
		return LENGTH_NONE;
	if (strcmp(text, "-1") == 0)
		return LENGTH_UNKNOWN;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
			return LENGTH_BAD;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*length = value;
	return LENGTH_KNOWN;
}

static bool is_chunked(struct gateway *gateway)
{
	return strcasestr(variable_or_empty(gateway, "HTTP_TRANSFER_ENCODING"), "chunked") != NULL;
}

/* How many bytes belong to the body as far as the gateway tells; UINT64_MAX = up to the end. */
static uint64_t bytes_to_read(struct gateway *gateway, enum length_kind kind, uint64_t length)
{
	if (gateway->stream_ends_with_body || kind == LENGTH_UNKNOWN)
		return UINT64_MAX;
	if (kind == LENGTH_KNOWN)
		return length;
	return is_chunked(gateway) ? UINT64_MAX : 0;
}

/* Read up to `want` bytes, keep those within max_body.  The count of all, or -1. */
static int64_t drain(struct request *request, struct gateway *gateway, uint64_t want,
		     size_t max_body, const struct deadline *deadline, struct error *err)
{
	char chunk[16384];
	uint64_t total = 0;

	while (total < want && total < (uint64_t)max_body + REQUEST_MAX_DRAIN) {
		size_t room = want - total < sizeof chunk ? (size_t)(want - total) : sizeof chunk;
		ssize_t got = gateway->read(gateway, chunk, room, deadline, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		if (total + (uint64_t)got <= max_body)
			buffer_append(&request->body, chunk, (size_t)got);
		total += (uint64_t)got;
	}
	return (int64_t)total;
}

int request_read_body(struct request *request, struct gateway *gateway, size_t max_body,
		      const struct deadline *deadline, struct error *err)
{
	const char *text = variable_or_empty(gateway, "CONTENT_LENGTH");
	uint64_t length = 0;
	enum length_kind kind = parse_length(text, &length);
	int64_t total =
	    drain(request, gateway, bytes_to_read(gateway, kind, length), max_body, deadline, err);

	if (total < 0)
		return -1;
	if (kind == LENGTH_BAD)
		return error_set(err, ERROR_BAD_REQUEST,
				 "CONTENT_LENGTH is not a number of bytes: \"%.64s\"", text);
	if ((uint64_t)total > max_body || (kind == LENGTH_KNOWN && length > max_body))
		return error_set(
		    err, ERROR_TOO_LARGE,
		    "the request body is over the limit of %zu bytes: send fewer patterns, or "
		    "raise GOVERAGE_MAX_BODY",
		    max_body);
	if (kind == LENGTH_KNOWN && (uint64_t)total < length)
		return error_set(
		    err, ERROR_BAD_REQUEST,
		    "the request body is incomplete: %llu bytes were announced and %llu came",
		    (unsigned long long)length, (unsigned long long)total);
	return request->body.failed ? error_no_memory(err) : 0;
}

void request_free(struct request *request)
{
	buffer_free(&request->path);
	buffer_free(&request->query_text);
	buffer_free(&request->body);
}
