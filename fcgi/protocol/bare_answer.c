#include "fcgi/protocol/bare_answer.h"

#include <stddef.h>

#include "cgi/handle.h"
#include "fcgi/protocol/stdin_stream.h"
#include "fcgi/protocol/stdout_records.h"

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
		stdin_stream_drop(connection);
}
