#include "fake_gateway.h"

#include <stdint.h>
#include <string.h>

static const char *fake_variable(struct gateway *gateway, const char *name)
{
	struct fake_gateway *fake = (struct fake_gateway *)gateway;
	size_t i;

	for (i = 0; fake->variables[i][0]; i++)
		if (strcmp(fake->variables[i][0], name) == 0)
			return fake->variables[i][1];
	return NULL;
}

static ssize_t fake_read(struct gateway *gateway, void *buf, size_t n,
			 const struct deadline *deadline, struct error *err)
{
	struct fake_gateway *fake = (struct fake_gateway *)gateway;
	size_t left = fake->body_len - fake->taken;

	(void)deadline;
	if (n > left)
		n = left;
	if (n > fake->chunk)
		n = fake->chunk;
	if (n == 0 && fake->breaks_off)
		return error_set(err, ERROR_BAD_REQUEST, "the stream broke off");
	if (n)
		memcpy(buf, fake->body + fake->taken, n);
	fake->taken += n;
	return (ssize_t)n;
}

static int fake_write(struct gateway *gateway, const void *bytes, size_t n)
{
	struct fake_gateway *fake = (struct fake_gateway *)gateway;

	if (n > fake->room - fake->sent.len)
		return -1;
	buffer_append(&fake->sent, bytes, n);
	return 0;
}

void fake_gateway_init(struct fake_gateway *fake, const char *const (*variables)[2],
		       const char *body, size_t body_len)
{
	*fake = (struct fake_gateway){
	    .base =
		{
		    .variable = fake_variable,
		    .read = fake_read,
		    .write = fake_write,
		    .stream_ends_with_body = true,
		},
	    .variables = variables,
	    .body = body,
	    .body_len = body_len,
	    .chunk = 7,
	    .room = SIZE_MAX / 2,
	};
}

const char *fake_gateway_answer(const struct fake_gateway *fake)
{
	return buffer_str(&fake->sent);
}
