/* A gateway that a test fills: whole requests run without a web server and without libfcgi. */
#ifndef GOVERAGE_TESTS_UNIT_FAKE_GATEWAY_H
#define GOVERAGE_TESTS_UNIT_FAKE_GATEWAY_H

#include "cgi/base/buffer.h"
#include "cgi/exchange/gateway.h"

struct fake_gateway {
	struct gateway base;
	const char *const (*variables)[2]; /* name, value; NULL, NULL at the end */
	const char *body;
	size_t body_len;
	size_t chunk;	 /* most bytes that one read gives */
	size_t taken;	 /* bytes of the body that were read */
	bool breaks_off; /* behind the body comes an error, not the end */
	struct buffer sent;
	size_t room; /* the peer leaves after this many bytes */
};

/* Like FastCGI: the stream ends with the body. */
void fake_gateway_init(struct fake_gateway *fake, const char *const (*variables)[2],
		       const char *body, size_t body_len);

/* What was sent, as a string; the caller frees fake->sent. */
const char *fake_gateway_answer(const struct fake_gateway *fake);

#endif
