/* The request on a FastCGI connection: whole, in pieces, and malformed in every way. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/protocol/input.h"

struct bytes {
	unsigned char data[4096];
	size_t len;
};

static void add(struct bytes *b, const void *data, size_t n)
{
	assert_true(b->len + n <= sizeof b->data);
	memcpy(b->data + b->len, data, n);
	b->len += n;
}

static void add_record(struct bytes *b, unsigned type, unsigned id, const void *content, size_t n,
		       unsigned padding)
{
	const unsigned char header[8] = {1,
					 (unsigned char)type,
					 (unsigned char)(id >> 8),
					 (unsigned char)id,
					 (unsigned char)(n >> 8),
					 (unsigned char)n,
					 (unsigned char)padding,
					 0};
	static const unsigned char zeros[256];

	add(b, header, sizeof header);
	add(b, content, n);
	add(b, zeros, padding);
}

static const unsigned char begin_body[8] = {0, 1, 0};

/* BEGIN, one PARAMS stream of the given content, cut into records of `size`, and a body. */
static struct bytes request(const void *params, size_t n, size_t size)
{
	struct bytes b = {.len = 0};
	size_t at;

	add_record(&b, 1, 7, begin_body, 8, 0);
	for (at = 0; at < n; at += size)
		add_record(&b, 4, 7, (const char *)params + at, n - at < size ? n - at : size,
			   at % 5);
	add_record(&b, 4, 7, "", 0, 0);
	add_record(&b, 5, 7, "body", 4, 200);
	add_record(&b, 5, 7, "", 0, 0);
	return b;
}

#define PARAMS "\x04\x03NAMEabc\x01\x80\x00\x00\x02Xyz\x00\x00"

/* A connection, whose other end is the peer's. */
struct wire {
	int peer;
	struct input input;
};

enum { MAX_BODY = 100, REQUEST_ID = 7 };

static struct wire wire_new(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	return (struct wire){ends[0], input_new(ends[1], MAX_BODY)};
}

static void wire_free(struct wire *wire)
{
	input_free(&wire->input);
	close(wire->input.fd);
	close(wire->peer);
}

/* Send, and take everything. */
static enum input_result put(struct wire *wire, const void *bytes, size_t n, struct error *err)
{
	enum input_result result;
	char ahead;

	assert_int_equal(send(wire->peer, bytes, n, 0), n);
	do
		result = input_receive(&wire->input, err);
	while (result == INPUT_MORE &&
	       recv(wire->input.fd, &ahead, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
	return result;
}

static void expect_request(const struct wire *wire, const char *params, size_t n)
{
	const struct input *input = &wire->input;

	assert_int_equal(input->state, INPUT_COMPLETE);
	assert_int_equal(input->request_id, REQUEST_ID);
	assert_int_equal(input->params.len, n);
	assert_memory_equal(input->params.data, params, n);
	assert_string_equal(buffer_str(&input->body), "body");
}

static void whole_requests_in_all_pieces(void **state)
{
	size_t size, at;

	(void)state;
	for (size = 1; size < sizeof PARAMS; size++) {
		struct bytes b = request(PARAMS, sizeof PARAMS - 1, size);
		struct wire wire = wire_new();

		for (at = 0; at < b.len - 1; at++)
			assert_int_equal(put(&wire, b.data + at, 1, NULL), INPUT_MORE);
		assert_int_equal(put(&wire, b.data + at, 1, NULL), INPUT_REQUEST);
		expect_request(&wire, PARAMS, sizeof PARAMS - 1);
		wire_free(&wire);
	}
}

/* What stands behind a request is the next one's, and nothing of the first one is left. */
static void one_behind_the_other(void **state)
{
	struct bytes b = request(PARAMS, sizeof PARAMS - 1, 5), two = b;
	struct wire wire = wire_new();

	(void)state;
	add(&two, b.data, b.len);
	assert_int_equal(put(&wire, two.data, two.len - 3, NULL), INPUT_REQUEST);
	expect_request(&wire, PARAMS, sizeof PARAMS - 1);
	input_next(&wire.input);
	assert_false(input_is_idle(&wire.input));
	assert_int_equal(input_receive(&wire.input, NULL), INPUT_MORE);
	assert_int_equal(put(&wire, two.data + two.len - 3, 3, NULL), INPUT_REQUEST);
	expect_request(&wire, PARAMS, sizeof PARAMS - 1);
	input_next(&wire.input);
	assert_true(input_is_idle(&wire.input));
	/* leftovers of the last one are nobody's */
	b.len = 0;
	add_record(&b, 2, REQUEST_ID, "", 0, 0);
	assert_int_equal(put(&wire, b.data, b.len, NULL), INPUT_MORE);
	assert_true(input_is_idle(&wire.input));
	shutdown(wire.peer, SHUT_WR);
	assert_int_equal(input_receive(&wire.input, NULL), INPUT_CLOSED);
	wire_free(&wire);
}

/* What stands in padding is nobody's. */
static void padding_goes(void **state)
{
	static const char records[] = "\x01\x09\0\0\0\x08\0\0\xff\xff\xff\xfe\xff\xff\xff\xfe";
	struct bytes padded = {.len = 0};
	struct wire wire = wire_new();

	(void)state;
	add_record(&padded, 1, REQUEST_ID, begin_body, 8, sizeof records);
	memcpy(padded.data + 16, records, sizeof records);
	add_record(&padded, 4, REQUEST_ID, PARAMS, sizeof PARAMS - 1, 3);
	add_record(&padded, 4, REQUEST_ID, "", 0, 255);
	add_record(&padded, 5, REQUEST_ID, "body", 4, 255);
	add_record(&padded, 5, REQUEST_ID, "", 0, 1);
	assert_int_equal(put(&wire, padded.data, padded.len, NULL), INPUT_REQUEST);
	expect_request(&wire, PARAMS, sizeof PARAMS - 1);
	wire_free(&wire);
}

static void expect_failure(const struct bytes *b, enum error_class class)
{
	struct wire wire = wire_new();
	struct error err = {0};

	assert_int_equal(put(&wire, b->data, b->len, &err), INPUT_FAILED);
	assert_int_equal(err.class, class);
	wire_free(&wire);
}

static void pairs_that_do_not_end(void **state)
{
	static const struct {
		const char *params;
		size_t n;
		enum error_class class;
	} cases[] = {
	    /* ends the process in libfcgi */
	    {"\xff\xff\xff\xfe\xff\xff\xff\xfe", 8, ERROR_HEAD_TOO_LARGE},
	    {"\xff\xff\xff\xff\xff\xff\xff\xffx", 9, ERROR_HEAD_TOO_LARGE},
	    {"\x04\x03NAMEab", 8, ERROR_BAD_REQUEST}, /* a byte short */
	    {"\x04", 1, ERROR_BAD_REQUEST},
	    {"\x04\x80\x00\x00", 4, ERROR_BAD_REQUEST},
	    {"\x80", 1, ERROR_BAD_REQUEST},
	    {"\x80\x02\x00\x00\x00x", 6, ERROR_HEAD_TOO_LARGE},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes b = request(cases[i].params, cases[i].n, 100);

		expect_failure(&b, cases[i].class);
	}
}

/* One pair that fills the stream up to `n` bytes. */
static enum input_result of_size(size_t n, struct wire *wire, struct error *err)
{
	static char params[PARAMS_MAX + 2];
	const size_t value = n - 6;
	struct bytes b = {.len = 0};
	enum input_result result;
	size_t at;

	memset(params, 'v', sizeof params);
	memcpy(params, "\x01\x80", 2);
	params[2] = (char)(value >> 16);
	params[3] = (char)(value >> 8);
	params[4] = (char)value;
	add_record(&b, 1, REQUEST_ID, begin_body, 8, 0);
	assert_int_equal(put(wire, b.data, b.len, err), INPUT_MORE);
	for (at = 0; at < n; at += 4000) {
		b.len = 0;
		add_record(&b, 4, REQUEST_ID, params + at, n - at < 4000 ? n - at : 4000, 0);
		result = put(wire, b.data, b.len, err);
		assert_int_equal(result, INPUT_MORE);
	}
	b.len = 0;
	add_record(&b, 4, REQUEST_ID, "", 0, 0);
	add_record(&b, 5, REQUEST_ID, "", 0, 0);
	return put(wire, b.data, b.len, err);
}

/* A head that is too large is read to its end: then it can be answered, and the next one read. */
static void heads_at_the_limit(void **state)
{
	struct error err = {0};
	struct wire wire = wire_new();

	(void)state;
	assert_int_equal(of_size(PARAMS_MAX, &wire, &err), INPUT_REQUEST);
	assert_int_equal(wire.input.params.len, PARAMS_MAX);
	input_next(&wire.input);
	assert_int_equal(of_size(PARAMS_MAX + 1, &wire, &err), INPUT_FAILED);
	assert_int_equal(err.class, ERROR_HEAD_TOO_LARGE);
	assert_int_equal(wire.input.state, INPUT_COMPLETE);
	input_next(&wire.input);
	assert_int_equal(of_size(PARAMS_MAX, &wire, &err), INPUT_REQUEST);
	wire_free(&wire);
}

static void bodies_over_the_limit(void **state)
{
	static const char body[4 * MAX_BODY];
	struct bytes b = {.len = 0};
	struct wire wire = wire_new();

	(void)state;
	add_record(&b, 1, REQUEST_ID, begin_body, 8, 0);
	add_record(&b, 4, REQUEST_ID, "", 0, 0);
	add_record(&b, 5, REQUEST_ID, body, sizeof body, 0);
	add_record(&b, 5, REQUEST_ID, body, sizeof body, 0);
	add_record(&b, 5, REQUEST_ID, "", 0, 0);
	assert_int_equal(put(&wire, b.data, b.len, NULL), INPUT_REQUEST);
	assert_int_equal(wire.input.body.len, MAX_BODY + 1);
	wire_free(&wire);
}

/* Requests that are begun while another one is there, or for a role that we have not. */
static void refused_by_a_record(void **state)
{
	static const unsigned char filter[8] = {0, 3, 1};
	struct bytes b = request(PARAMS, sizeof PARAMS - 1, 100), other = {.len = 0};
	struct wire wire = wire_new();
	unsigned char got[16];

	(void)state;
	add_record(&other, 1, 9, begin_body, 8, 0);
	add_record(&other, 4, 9, PARAMS, sizeof PARAMS - 1, 0);
	assert_int_equal(put(&wire, b.data, 16, NULL), INPUT_MORE);
	assert_int_equal(put(&wire, other.data, other.len, NULL), INPUT_MORE);
	assert_int_equal(recv(wire.peer, got, sizeof got, 0), 16);
	assert_memory_equal(got, "\x01\x03\0\x09\0\x08\0\0\0\0\0\0\x01\0\0\0", 16);
	assert_int_equal(put(&wire, b.data + 16, b.len - 16, NULL), INPUT_REQUEST);
	expect_request(&wire, PARAMS, sizeof PARAMS - 1);
	input_next(&wire.input);
	other.len = 0;
	add_record(&other, 1, 9, filter, 8, 0);
	add_record(&other, 4, 9, "", 0, 0);
	assert_int_equal(put(&wire, other.data, other.len, NULL), INPUT_MORE);
	assert_int_equal(recv(wire.peer, got, sizeof got, 0), 16);
	assert_memory_equal(got, "\x01\x03\0\x09\0\x08\0\0\0\0\0\0\x03\0\0\0", 16);
	assert_int_equal(put(&wire, b.data, b.len, NULL), INPUT_REQUEST);
	wire_free(&wire);
}

static void other_records(void **state)
{
	struct bytes b = {.len = 0};

	(void)state;
	add(&b, "GET / HTTP/1.1", 14);
	expect_failure(&b, ERROR_BAD_REQUEST);

	b.len = 0;
	add_record(&b, 4, REQUEST_ID, PARAMS, sizeof PARAMS - 1, 0); /* without a beginning */
	expect_failure(&b, ERROR_BAD_REQUEST);

	b.len = 0;
	add_record(&b, 1, REQUEST_ID, begin_body, 7, 0);
	expect_failure(&b, ERROR_BAD_REQUEST);

	b.len = 0;
	add_record(&b, 1, REQUEST_ID, begin_body, 8, 3);
	add_record(&b, 5, REQUEST_ID, "", 0, 0); /* a body before the end of the head */
	expect_failure(&b, ERROR_BAD_REQUEST);

	b.len = 0;
	add_record(&b, 1, REQUEST_ID, begin_body, 8, 3);
	add_record(&b, 2, REQUEST_ID, "", 0, 0); /* ABORT */
	expect_failure(&b, ERROR_BAD_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_requests_in_all_pieces),
	    cmocka_unit_test(one_behind_the_other),
	    cmocka_unit_test(padding_goes),
	    cmocka_unit_test(pairs_that_do_not_end),
	    cmocka_unit_test(heads_at_the_limit),
	    cmocka_unit_test(bodies_over_the_limit),
	    cmocka_unit_test(refused_by_a_record),
	    cmocka_unit_test(other_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
