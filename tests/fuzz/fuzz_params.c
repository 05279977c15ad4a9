/* The request that comes in on a FastCGI connection, in pieces of any size. */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/protocol/input.h"

enum { MAX_BODY = 1000, REQUESTS_MOST = 100 };

/* What was read: requests, and how it ended. */
struct reading {
	size_t requests, params, bodies;
	enum input_result last;
};

static void note_request(struct reading *reading, const struct input *input)
{
	fuzz_expect(input->state == INPUT_COMPLETE || input->dropped > 0);
	fuzz_expect(input->request_id > 0 && input->request_id <= 0xffff);
	fuzz_expect(input->params.len <= PARAMS_MAX && input->body.len <= MAX_BODY + 1);
	reading->requests++;
	reading->params += input->params.len;
	reading->bodies += input->body.len;
}

/* Read what is there, up to `most` requests. */
static void read_all(struct reading *reading, struct input *input)
{
	struct error err = {0};

	while (reading->requests < REQUESTS_MOST) {
		size_t before = input->raw.len;

		reading->last = input_receive(input, &err);
		fuzz_expect(reading->last != INPUT_FAILED || err.message[0]);
		if (reading->last == INPUT_REQUEST) {
			note_request(reading, input);
			input_next(input);
		} else if (reading->last != INPUT_MORE || input->raw.len == before) {
			return;
		}
	}
}

static struct reading in_pieces(const uint8_t *data, size_t size, size_t piece)
{
	struct reading reading = {.last = INPUT_MORE};
	struct input input;
	size_t at, n;
	int ends[2];

	fuzz_expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	input = input_new(ends[1], MAX_BODY);
	for (at = 0; at < size && reading.last == INPUT_MORE; at += n) {
		n = size - at < piece ? size - at : piece;
		fuzz_expect(send(ends[0], data + at, n, MSG_DONTWAIT) == (ssize_t)n);
		read_all(&reading, &input);
	}
	input_free(&input);
	close(ends[0]);
	close(ends[1]);
	return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole = in_pieces(data, size, 4096);
	struct reading small = in_pieces(data, size, size % 61 + 1);

	fuzz_expect(whole.requests == small.requests);
	fuzz_expect(whole.params == small.params && whole.bodies == small.bodies);
	return 0;
}
