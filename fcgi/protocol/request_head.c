#include "fcgi/protocol/request_head.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "fcgi/protocol/params_scan.h"

enum { FIRST_ROOM = 8 << 10 }; /* hardly any head is longer */

static int make_room(struct request_head *head, struct error *err)
{
	size_t size = head->size ? 2 * head->size : FIRST_ROOM;
	unsigned char *bytes;

	if (head->have < head->size)
		return 0;
	if (size > PARAMS_SCAN_MAX)
		size = PARAMS_SCAN_MAX;
	bytes = realloc(head->bytes, size);
	if (!bytes)
		return error_no_memory(err);
	head->bytes = bytes;
	head->size = size;
	return 0;
}

static int too_late(struct error *err)
{
	return error_set(err, ERROR_TIMEOUT, "the request's head did not arrive in time");
}

/* Receive what is there, or wait for it. */
static int receive(struct request_head *head, int connection, const struct deadline *deadline,
		   struct error *err)
{
	for (;;) {
		ssize_t got = recv(connection, head->bytes + head->have, head->size - head->have,
				   MSG_DONTWAIT);

		if (got > 0) {
			head->have += (size_t)got;
			return 0;
		}
		/* the watchdog's bite looks like an early end */
		if (deadline_left_ms(deadline) == 0)
			return too_late(err);
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return error_set(err, ERROR_BAD_REQUEST,
					 "the request broke off in its head");
		if (deadline_wait(deadline, connection, POLLIN) != DEADLINE_READY)
			return too_late(err);
	}
}

int request_head_read(struct request_head *head, int connection, const struct deadline *deadline,
		      struct error *err)
{
	enum params_state state = PARAMS_INCOMPLETE;

	while (state == PARAMS_INCOMPLETE && head->have < PARAMS_SCAN_MAX) {
		if (make_room(head, err) < 0 || receive(head, connection, deadline, err) < 0)
			return -1;
		state = params_scan(head->bytes, head->have, &head->body);
	}
	if (state != PARAMS_COMPLETE)
		return error_set(err, ERROR_BAD_REQUEST,
				 "what came was no FastCGI request, or its parameters are over "
				 "%d bytes",
				 PARAMS_SCAN_MAX);
	head->len = params_strip_padding(head->bytes, head->body);
	head->request_id = (unsigned)head->bytes[2] << 8 | head->bytes[3];
	return 0;
}

void request_head_free(struct request_head *head)
{
	free(head->bytes);
	*head = REQUEST_HEAD_INIT;
}
