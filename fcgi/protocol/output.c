#include "fcgi/protocol/output.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	CONTENT_MAX = FCGI_MAX_LENGTH & ~7, /* a multiple of 8 needs no padding */
	BATCH = 64,			    /* records in one call: 4 MiB */
	BATCH_OTHERS = 4,		    /* of these, for records that end something */
};

/* The records of one call: header, content, header, content, … */
struct batch {
	unsigned request_id;
	FCGI_Header headers[BATCH];
	struct iovec parts[2 * BATCH];
	size_t n_parts;
};

/* --- collecting records ---------------------------------------------------------------------- */

static void add_record(struct batch *batch, unsigned char type, const void *content, size_t len)
{
	FCGI_Header *header = &batch->headers[batch->n_parts / 2];

	*header = (FCGI_Header){
	    .version = FCGI_VERSION_1,
	    .type = type,
	    .requestIdB1 = (uint8_t)(batch->request_id >> 8),
	    .requestIdB0 = (uint8_t)batch->request_id,
	    .contentLengthB1 = (uint8_t)(len >> 8),
	    .contentLengthB0 = (uint8_t)len,
	};
	batch->parts[batch->n_parts++] = (struct iovec){header, sizeof *header};
	batch->parts[batch->n_parts++] = (struct iovec){(void *)(uintptr_t)content, len};
}

/* As many records as fit; returns how many of the n bytes are in them. */
static size_t add_stream(struct batch *batch, unsigned char type, const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	while (at < n && batch->n_parts < 2 * (BATCH - BATCH_OTHERS)) {
		size_t len = n - at < CONTENT_MAX ? n - at : CONTENT_MAX;

		add_record(batch, type, bytes + at, len);
		at += len;
	}
	return at;
}

static void add_end(struct batch *batch, const FCGI_EndRequestBody *body)
{
	add_record(batch, FCGI_END_REQUEST, body, sizeof *body);
}

/* --- sending them ---------------------------------------------------------------------------- */

/* Take what has been sent off the front of the message. */
static void advance(struct msghdr *message, size_t sent)
{
	while (message->msg_iovlen && sent >= message->msg_iov->iov_len) {
		sent -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (message->msg_iovlen) {
		message->msg_iov->iov_base = (uint8_t *)message->msg_iov->iov_base + sent;
		message->msg_iov->iov_len -= sent;
	}
}

/* Wait until the peer takes something. */
static bool takes_more(int fd, const struct deadline *deadline)
{
	struct deadline patience = deadline_in_ms(OUTPUT_PEER_TIMEOUT_MS, -1);

	if (deadline->at_ns < patience.at_ns)
		patience.at_ns = deadline->at_ns;
	return deadline_wait(&patience, fd, POLLOUT) == DEADLINE_READY;
}

static int send_batch(int fd, struct batch *batch, const struct deadline *deadline)
{
	struct msghdr message = {.msg_iov = batch->parts, .msg_iovlen = batch->n_parts};

	while (message.msg_iovlen) {
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent >= 0)
			advance(&message, (size_t)sent);
		else if (errno != EINTR && (errno != EAGAIN || !takes_more(fd, deadline)))
			return -1;
	}
	batch->n_parts = 0;
	return 0;
}

static void send_or_fail(struct output *output, struct batch *batch)
{
	if (!output->failed && send_batch(output->fd, batch, &output->deadline) < 0)
		output->failed = true;
}

/* What is sent without a wait has found room, or the connection is of no use. */
static const struct deadline at_once = {0, -1};

/* --- the answer ------------------------------------------------------------------------------ */

static void add_collected(struct output *output, struct batch *batch)
{
	if (output->len)
		add_record(batch, FCGI_STDOUT, output->collected, output->len);
	output->len = 0;
}

int output_write(struct output *output, const void *bytes, size_t n)
{
	struct batch batch = {.request_id = output->request_id};
	const uint8_t *at = bytes;

	if (n <= sizeof output->collected - output->len) {
		memcpy(output->collected + output->len, bytes, n);
		output->len += n;
		return output->failed ? -1 : 0;
	}
	add_collected(output, &batch);
	while (n > 0 && !output->failed) {
		size_t len = add_stream(&batch, FCGI_STDOUT, at, n);

		send_or_fail(output, &batch);
		at += len;
		n -= len;
	}
	return output->failed ? -1 : 0;
}

void output_log(struct output *output, const void *bytes, size_t n)
{
	struct batch batch = {.request_id = output->request_id};

	if (n == 0 || n > CONTENT_MAX)
		return;
	add_record(&batch, FCGI_STDERR, bytes, n);
	send_or_fail(output, &batch);
}

void output_end(struct output *output, enum output_then then)
{
	static const FCGI_EndRequestBody complete = {.protocolStatus = FCGI_REQUEST_COMPLETE};
	struct batch batch = {.request_id = output->request_id};

	add_collected(output, &batch);
	add_record(&batch, FCGI_STDOUT, NULL, 0);
	add_end(&batch, &complete);
	if (then == OUTPUT_THEN_LAST)
		add_record(&batch, FCGI_STDERR, NULL, 0);
	send_or_fail(output, &batch);
	if (then == OUTPUT_THEN_END)
		shutdown(output->fd, SHUT_WR);
}

void output_say_last(int fd, unsigned request_id)
{
	struct batch batch = {.request_id = request_id};

	add_record(&batch, FCGI_STDERR, NULL, 0);
	(void)send_batch(fd, &batch, &at_once); /* who can't be told will see */
}

int output_refuse(int fd, unsigned request_id, unsigned char protocol_status, struct error *err)
{
	const FCGI_EndRequestBody body = {.protocolStatus = protocol_status};
	struct batch batch = {.request_id = request_id};

	add_end(&batch, &body);
	if (send_batch(fd, &batch, &at_once) < 0)
		return error_set(err, ERROR_BAD_REQUEST,
				 "the peer begins requests and takes no answers");
	return 0;
}
