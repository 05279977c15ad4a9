#include "cgi/exchange/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cgi/base/escape.h"

static const char *reason_phrase(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 204:
		return "No Content";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 417:
		return "Expectation Failed";
	case 422:
		return "Unprocessable Content";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	}
	return status < 500 ? "Refused" : "Internal Server Error";
}

void response_header(struct response *response, const char *name, const char *fmt, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	buffer_printf(&response->headers, "%s: %s\n", name, value);
}

void response_warn(struct response *response, const char *front, const char *text)
{
	cleanup_buffer struct buffer plain = BUFFER_INIT;

	escape_plain(&plain, text, strlen(text));
	response_header(response, "Goverage-Warning", "%s%s", front, buffer_str(&plain));
}

static void drop_profile(struct response *response)
{
	textfmt_free(&response->profile);
	textfmt_writer_free(steal_ptr(response->writer));
	report_free(steal_ptr(response->report));
}

void response_error(struct response *response, const struct request *request,
		    const struct error *error)
{
	response->status = error_status(error->class);
	response->etag[0] = '\0';
	drop_profile(response);
	buffer_reset(&response->text);
	if (strcasestr(request->accept, "application/json")) {
		response->content_type = "application/json; charset=utf-8";
		buffer_puts(&response->text, "{\"error\":");
		escape_json(&response->text, error->message, strlen(error->message));
		buffer_puts(&response->text, "}\n");
	} else {
		response->content_type = "text/plain; charset=utf-8";
		escape_plain(&response->text, error->message, strlen(error->message));
		buffer_putc(&response->text, '\n');
	}
	if (response->status == 503)
		response_header(response, "Retry-After", "1");
}

const char *response_kind(const struct response *response)
{
	if (response->report)
		return "report";
	return response->profile.whole || response->writer ? "textfmt" : "answer";
}

size_t response_length(const struct response *response)
{
	if (response->writer)
		return textfmt_writer_size(response->writer);
	if (response->report)
		return report_size(response->report);
	return response->profile.whole ? response->profile.total : response->text.len;
}

static void write_head(const struct response *response, struct buffer *head)
{
	buffer_printf(head, "Status: %d %s\n", response->status, reason_phrase(response->status));
	if (response->content_type)
		buffer_printf(head, "Content-Type: %s\nContent-Length: %zu\n",
			      response->content_type, response_length(response));
	buffer_puts(head, "X-Content-Type-Options: nosniff\n");
	if (*response->etag)
		buffer_printf(head, "ETag: %s\nCache-Control: no-cache\n", response->etag);
	else
		buffer_puts(head, "Cache-Control: no-store\n");
	buffer_puts(head, buffer_str(&response->headers));
	buffer_putc(head, '\n');
}

static int to_gateway(void *gateway_, const char *bytes, size_t n)
{
	struct gateway *gateway = gateway_;

	return gateway->write(gateway, bytes, n);
}

static int send_body(const struct response *response, struct gateway *gateway)
{
	size_t i;

	if (response->writer)
		return textfmt_writer_send(response->writer, to_gateway, gateway);
	if (response->report)
		return report_send(response->report, to_gateway, gateway);
	if (!response->profile.whole)
		return gateway->write(gateway, response->text.data, response->text.len);
	for (i = 0; i < response->profile.n_spans; i++) {
		const struct byte_span *span = &response->profile.spans[i];

		if (gateway->write(gateway, span->bytes, span->len) < 0)
			return -1;
	}
	return 0;
}

int response_send(struct response *response, struct gateway *gateway, bool head_only)
{
	static const char last_resort[] = "Status: 503 Service Unavailable\n"
					  "Content-Type: text/plain; charset=utf-8\n"
					  "Content-Length: 34\n"
					  "X-Content-Type-Options: nosniff\n"
					  "Cache-Control: no-store\n"
					  "Retry-After: 1\n\n"
					  "out of memory: try again in a bit\n";
	cleanup_buffer struct buffer head = BUFFER_INIT;

	if (gateway->answering)
		gateway->answering(gateway, head_only ? 0 : response_length(response));
	write_head(response, &head);
	if (head.failed || response->headers.failed || response->text.failed) {
		response->out_of_memory = true;
		response->status = 503;
		return gateway->write(gateway, last_resort, sizeof last_resort - 1);
	}
	if (gateway->write(gateway, head.data, head.len) < 0)
		return -1;
	if (head_only || !response->content_type)
		return 0;
	return send_body(response, gateway);
}

void response_free(struct response *response)
{
	buffer_free(&response->headers);
	buffer_free(&response->text);
	drop_profile(response);
}
