#include "fcgi/protocol/input.h"

#include <errno.h>
#include <fastcgi.h>
#include <string.h>
#include <sys/socket.h>

#include "cgi/exchange/request.h"
#include "fcgi/protocol/output.h"

enum { PIECE = (8 << 10) - 1 }; /* bytes that are received at once; hardly any request has more */

struct record {
	unsigned type, request_id;
	const unsigned char *content;
	size_t len;
	size_t total; /* header and padding included */
};

struct input input_new(int fd, size_t max_body)
{
	return (struct input){.fd = fd, .max_body = max_body};
}

static int malformed(struct error *err)
{
	return error_set(err, ERROR_BAD_REQUEST, "what came was no FastCGI request");
}

/* --- records --------------------------------------------------------------------------------- */

/* 1 for a whole record, 0 when there is more to come. */
static int read_record(const unsigned char *bytes, size_t n, struct record *record,
		       struct error *err)
{
	if (n >= 1 && bytes[0] != FCGI_VERSION_1)
		return malformed(err);
	if (n < FCGI_HEADER_LEN)
		return 0;
	record->type = bytes[1];
	record->request_id = (unsigned)bytes[2] << 8 | bytes[3];
	record->content = bytes + FCGI_HEADER_LEN;
	record->len = (size_t)bytes[4] << 8 | bytes[5];
	record->total = FCGI_HEADER_LEN + record->len + bytes[6];
	return n >= record->total;
}

/* A record that stands between requests: leftovers of the last one are dropped. */
static int take_begin(struct input *input, const struct record *record, struct error *err)
{
	if (record->type != FCGI_BEGIN_REQUEST)
		return input->request_id || record->request_id == FCGI_NULL_REQUEST_ID
			   ? 0
			   : malformed(err);
	if (record->len != sizeof(FCGI_BeginRequestBody) || record->request_id == 0)
		return malformed(err);
	input->request_id = record->request_id;
	if (record->content[0] || record->content[1] != FCGI_RESPONDER)
		return output_refuse(input->fd, record->request_id, FCGI_UNKNOWN_ROLE, err);
	input->keep = record->content[2] & FCGI_KEEP_CONN;
	input->state = INPUT_PARAMS;
	return 0;
}

/* Of what is too large, the rest is read but not kept. */
static int drop_params(struct input *input, size_t n)
{
	input->too_large = true;
	input->dropped += n;
	buffer_free(&input->params);
	return 0;
}

static int take_params(struct input *input, const struct record *record, struct error *err)
{
	if (record->len == 0) {
		input->state = INPUT_STDIN;
		return input->too_large || params_walk_is_whole(&input->walk) ? 0 : malformed(err);
	}
	if (input->too_large || input->params.len + record->len > PARAMS_MAX ||
	    !params_walk(&input->walk, record->content, record->len))
		return drop_params(input, record->len);
	buffer_append(&input->params, record->content, record->len);
	return input->params.failed ? error_no_memory(err) : 0;
}

static int take_stdin(struct input *input, const struct record *record, struct error *err)
{
	size_t room = input->too_large ? 0 : input->max_body + 1 - input->body.len;
	size_t kept = record->len < room ? record->len : room;

	if (record->len == 0)
		input->state = INPUT_COMPLETE;
	if (kept)
		buffer_append(&input->body, record->content, kept);
	input->dropped += record->len - kept;
	return input->body.failed ? error_no_memory(err) : 0;
}

static int take_abort(struct input *input, struct error *err)
{
	input->state = INPUT_COMPLETE;
	return error_set(err, ERROR_BAD_REQUEST, "the web server has aborted the request");
}

static int take_record(struct input *input, const struct record *record, struct error *err)
{
	if (input->state == INPUT_NONE)
		return take_begin(input, record, err);
	if (record->request_id != input->request_id)
		return record->type == FCGI_BEGIN_REQUEST
			   ? output_refuse(input->fd, record->request_id, FCGI_CANT_MPX_CONN, err)
			   : 0;
	switch (record->type) {
	case FCGI_ABORT_REQUEST:
		return take_abort(input, err);
	case FCGI_PARAMS:
		return input->state == INPUT_PARAMS ? take_params(input, record, err)
						    : malformed(err);
	case FCGI_STDIN:
		return input->state == INPUT_STDIN ? take_stdin(input, record, err)
						   : malformed(err);
	case FCGI_BEGIN_REQUEST:
		return malformed(err);
	}
	return 0;
}

/* --- the request ----------------------------------------------------------------------------- */

static void forget_front(struct buffer *buffer, size_t n)
{
	memmove(buffer->data, buffer->data + n, buffer->len - n);
	buffer->len -= n;
}

static bool is_enough(const struct input *input)
{
	return input->state == INPUT_COMPLETE || input->dropped > REQUEST_MAX_DRAIN;
}

/* Take whole records until the request is there. */
static int take_records(struct input *input, struct error *err)
{
	size_t at = 0;
	int rc = 0;

	while (!is_enough(input)) {
		struct record record = {0};

		rc = read_record((unsigned char *)input->raw.data + at, input->raw.len - at,
				 &record, err);
		if (rc <= 0)
			break;
		at += record.total;
		rc = take_record(input, &record, err);
		if (rc < 0)
			break;
	}
	if (at)
		forget_front(&input->raw, at);
	return rc;
}

static enum input_result broke_off(const struct input *input, struct error *err)
{
	if (input_is_idle(input))
		return INPUT_CLOSED;
	error_set(err, ERROR_BAD_REQUEST, "the request %s broke off: the connection was closed",
		  input->state == INPUT_STDIN ? "body" : "head");
	return INPUT_FAILED;
}

static enum input_result verdict(struct input *input, struct error *err)
{
	if (take_records(input, err) < 0)
		return INPUT_FAILED;
	if (!is_enough(input))
		return INPUT_MORE;
	if (!input->too_large)
		return INPUT_REQUEST;
	error_set(err, ERROR_HEAD_TOO_LARGE,
		  "the request's head, with all that the web server adds, is over the limit of %d "
		  "bytes: send fewer or shorter headers and query fields, or patterns in the body",
		  PARAMS_MAX);
	return INPUT_FAILED;
}

enum input_result input_receive(struct input *input, struct error *err)
{
	ssize_t got;
	char *room;

	if (input->raw.len) { /* of the next request, behind the last one */
		enum input_result result = verdict(input, err);

		if (result != INPUT_MORE)
			return result;
	}
	room = buffer_reserve(&input->raw, PIECE);
	if (!room) {
		error_no_memory(err);
		return INPUT_FAILED;
	}
	got = recv(input->fd, room, PIECE, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return INPUT_MORE;
	if (got <= 0)
		return broke_off(input, err);
	input->raw.len += (size_t)got;
	return verdict(input, err);
}

bool input_has_begun(const struct input *input)
{
	return input->state != INPUT_NONE;
}

bool input_is_idle(const struct input *input)
{
	return input->state == INPUT_NONE && input->request_id && input->raw.len == 0;
}

size_t input_size(const struct input *input)
{
	return input->raw.cap + input->params.cap + input->body.cap;
}

void input_next(struct input *input)
{
	struct input next = input_new(input->fd, input->max_body);

	next.request_id = input->request_id;
	next.watched = input->watched;
	if (input->raw.len) {
		next.raw = input->raw;
		input->raw = BUFFER_INIT;
	}
	input_free(input);
	*input = next;
}

void input_free(struct input *input)
{
	buffer_free(&input->raw);
	buffer_free(&input->params);
	buffer_free(&input->body);
}
