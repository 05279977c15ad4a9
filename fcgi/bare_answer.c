#include "fcgi/bare_answer.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

#include "cgi/handle.h"
#include "fcgi/stdout_records.h"

enum { LAST_WORDS_MS = 200 }; /* for what comes in after the answer: closing on it would reset */

struct bare_gateway {
	struct gateway base;
	int connection;
	int request_id;
};

static const char *no_variable(struct gateway *gateway, const char *name)
{
	(void)gateway;
	(void)name;
	return NULL;
}

static ssize_t no_input(struct gateway *gateway, void *buf, size_t n,
			const struct deadline *deadline, struct error *err)
{
	(void)gateway;
	(void)buf;
	(void)n;
	(void)deadline;
	(void)err;
	return 0;
}

static int write_records(struct gateway *gateway, const void *bytes, size_t n)
{
	const struct bare_gateway *self = (struct bare_gateway *)gateway;

	return stdout_records_send(self->connection, self->request_id, bytes, n);
}

static void drop_input(int connection)
{
	const struct deadline deadline = deadline_in_ms(LAST_WORDS_MS, -1);
	struct pollfd input = {connection, POLLIN, 0};
	char piece[4096];

	shutdown(connection, SHUT_WR);
	while (poll(&input, 1, (int)deadline_left_ms(&deadline)) > 0 &&
	       recv(connection, piece, sizeof piece, 0) > 0)
		;
}

void bare_answer(int connection, int request_id, const struct error *error)
{
	struct bare_gateway gateway = {
	    .base =
		{
		    .variable = no_variable,
		    .read = no_input,
		    .write = write_records,
		    .stream_ends_with_body = true,
		},
	    .connection = connection,
	    .request_id = request_id,
	};

	handle_refusal(&gateway.base, error);
	if (stdout_records_end(connection, request_id) == 0)
		drop_input(connection);
}
