#include "fcgi/protocol/stdin_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "cgi/base/deadline.h"
#include "fcgi/protocol/peer_timeout.h"

enum { DROP_MS = 200 };

enum { RECORD_HEADER = 8, RECORD_VERSION = 1, TYPE_ABORT_REQUEST = 2, TYPE_STDIN = 5 };

void stdin_stream_init(struct stdin_stream *stream, int fd, const struct request_head *head)
{
	*stream = (struct stdin_stream){
	    .fd = fd,
	    .request_id = head->request_id,
	    .room = head->bytes,
	    .size = head->size,
	    .have = head->have,
	    .at = head->body,
	};
}

/* As a rule the body is there, and nobody needs a time-out. */
static ssize_t receive(struct stdin_stream *stream)
{
	ssize_t got = recv(stream->fd, stream->room, stream->size, MSG_DONTWAIT);

	if (got >= 0 || errno != EAGAIN)
		return got;
	if (!stream->waited)
		peer_timeout_set(stream->fd, SO_RCVTIMEO);
	stream->waited = true;
	return recv(stream->fd, stream->room, stream->size, 0);
}

/* Have something to read.  False when there is no more. */
static bool fill(struct stdin_stream *stream)
{
	ssize_t got;

	if (stream->at < stream->have)
		return true;
	do
		got = receive(stream);
	while (got < 0 && errno == EINTR);
	stream->at = 0;
	stream->have = got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* Take up to n bytes; out may be NULL.  The count, 0 when there is no more. */
static size_t take(struct stdin_stream *stream, unsigned char *out, size_t n)
{
	size_t there;

	if (!fill(stream))
		return 0;
	there = stream->have - stream->at;
	if (n > there)
		n = there;
	if (out)
		memcpy(out, stream->room + stream->at, n);
	stream->at += n;
	return n;
}

static bool take_all(struct stdin_stream *stream, unsigned char *out, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t got = take(stream, out ? out + done : NULL, n - done);

		if (got == 0)
			return false;
		done += got;
	}
	return true;
}

/* Go on to the next record.  False where that can't be. */
static bool next_record(struct stdin_stream *stream)
{
	unsigned char header[RECORD_HEADER];
	unsigned request_id;
	size_t length;

	if (!take_all(stream, NULL, stream->skip) || !take_all(stream, header, sizeof header) ||
	    header[0] != RECORD_VERSION)
		return false;
	request_id = (unsigned)header[2] << 8 | header[3];
	length = (size_t)header[4] << 8 | header[5];
	stream->skip = header[6];
	if (request_id != stream->request_id || header[1] != TYPE_STDIN) {
		stream->skip += length;
		return request_id != stream->request_id || header[1] != TYPE_ABORT_REQUEST;
	}
	stream->content = length;
	stream->ended = length == 0;
	return true;
}

ssize_t stdin_stream_read(struct stdin_stream *stream, void *out, size_t n)
{
	size_t done = 0;

	while (done < n && !stream->ended && !stream->broken) {
		size_t want = n - done < stream->content ? n - done : stream->content;
		size_t got = want ? take(stream, (unsigned char *)out + done, want) : 0;

		done += got;
		stream->content -= got;
		if (want ? got == 0 : !next_record(stream))
			stream->broken = true;
	}
	return stream->broken ? -1 : (ssize_t)done;
}

void stdin_stream_drop(int connection)
{
	const struct deadline deadline = deadline_in_ms(DROP_MS, -1);
	struct pollfd input = {connection, POLLIN, 0};
	char piece[4096];

	shutdown(connection, SHUT_WR);
	while (poll(&input, 1, (int)deadline_left_ms(&deadline)) > 0 &&
	       recv(connection, piece, sizeof piece, 0) > 0)
		;
}
