#include "fcgi/protocol/stdout_records.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	CONTENT_MAX = FCGI_MAX_LENGTH & ~7, /* a multiple of 8 needs no padding */
	BATCH = 64,			    /* records in one call: 4 MiB */
};

/* The records of one call: header, content, header, content, … */
struct batch {
	FCGI_Header headers[BATCH];
	struct iovec parts[2 * BATCH];
	size_t n_parts;
};

static void add_record(struct batch *batch, unsigned char type, int request_id,
		       const uint8_t *content, size_t len)
{
	FCGI_Header *header = &batch->headers[batch->n_parts / 2];

	*header = (FCGI_Header){
	    .version = FCGI_VERSION_1,
	    .type = type,
	    .requestIdB1 = (uint8_t)(request_id >> 8),
	    .requestIdB0 = (uint8_t)request_id,
	    .contentLengthB1 = (uint8_t)(len >> 8),
	    .contentLengthB0 = (uint8_t)len,
	};
	batch->parts[batch->n_parts++] = (struct iovec){header, sizeof *header};
	batch->parts[batch->n_parts++] = (struct iovec){(void *)(uintptr_t)content, len};
}

/* As many records as fit; returns how many of the n bytes are in them. */
static size_t fill(struct batch *batch, int request_id, const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	batch->n_parts = 0;
	while (at < n && batch->n_parts < 2 * BATCH) {
		size_t len = n - at < CONTENT_MAX ? n - at : CONTENT_MAX;

		add_record(batch, FCGI_STDOUT, request_id, bytes + at, len);
		at += len;
	}
	return at;
}

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

static int send_batch(int connection, struct batch *batch)
{
	struct msghdr message = {.msg_iov = batch->parts, .msg_iovlen = batch->n_parts};

	while (message.msg_iovlen) {
		ssize_t sent = sendmsg(connection, &message, MSG_NOSIGNAL);

		if (sent >= 0)
			advance(&message, (size_t)sent);
		else if (errno != EINTR)
			return -1;
	}
	return 0;
}

int stdout_records_send(int connection, int request_id, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	struct batch batch;

	while (n > 0) {
		size_t len = fill(&batch, request_id, at, n);

		if (send_batch(connection, &batch) < 0)
			return -1;
		at += len;
		n -= len;
	}
	return 0;
}

int stdout_records_end(int connection, int request_id)
{
	static const FCGI_EndRequestBody complete = {.protocolStatus = FCGI_REQUEST_COMPLETE};
	struct batch batch = {.n_parts = 0};

	add_record(&batch, FCGI_STDOUT, request_id, NULL, 0);
	add_record(&batch, FCGI_END_REQUEST, request_id, (const uint8_t *)&complete,
		   sizeof complete);
	return send_batch(connection, &batch);
}
