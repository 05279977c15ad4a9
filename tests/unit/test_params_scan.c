/* The head of a FastCGI request: whole, in pieces, and malformed in every way. */
#include "unit.h"

#include "fcgi/protocol/params_scan.h"

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

/* BEGIN and one PARAMS stream of the given content, cut into records of `size`. */
static struct bytes request(const void *params, size_t n, size_t size)
{
	struct bytes b = {.len = 0};
	size_t at;

	add_record(&b, 1, 7, begin_body, 8, 0);
	for (at = 0; at < n; at += size)
		add_record(&b, 4, 7, (const char *)params + at, n - at < size ? n - at : size,
			   at % 5);
	add_record(&b, 4, 7, "", 0, 0);
	return b;
}

static enum params_state scan(const unsigned char *bytes, size_t n)
{
	size_t len;

	return params_scan(bytes, n, &len);
}

#define PARAMS "\x04\x03NAMEabc\x01\x80\x00\x00\x02Xyz\x00\x00"

static void whole_requests_in_all_pieces(void **state)
{
	size_t size, n, len;

	(void)state;
	for (size = 1; size < sizeof PARAMS; size++) {
		struct bytes b = request(PARAMS, sizeof PARAMS - 1, size);

		assert_int_equal(scan(b.data, b.len), PARAMS_COMPLETE);
		/* what stands behind is the body's */
		add(&b, "\xff", 1);
		assert_int_equal(params_scan(b.data, b.len, &len), PARAMS_COMPLETE);
		assert_int_equal(len, b.len - 1);
		for (n = 0; n < b.len - 1; n++)
			assert_int_equal(scan(b.data, n), PARAMS_INCOMPLETE);
	}
}

/* What stands in padding is nobody's. */
static void padding_goes(void **state)
{
	static const char records[] = "\x01\x09\0\0\0\x08\0\0\xff\xff\xff\xfe\xff\xff\xff\xfe";
	struct bytes padded = {.len = 0}, plain = request(PARAMS, sizeof PARAMS - 1, 64);
	size_t len;

	(void)state;
	add_record(&padded, 1, 7, begin_body, 8, sizeof records);
	memcpy(padded.data + 16, records, sizeof records);
	add_record(&padded, 4, 7, PARAMS, sizeof PARAMS - 1, 3);
	add_record(&padded, 4, 7, "", 0, 255);
	assert_int_equal(params_scan(padded.data, padded.len, &len), PARAMS_COMPLETE);
	assert_int_equal(len, padded.len);
	assert_int_equal(params_strip_padding(padded.data, len), plain.len);
	assert_memory_equal(padded.data, plain.data, plain.len);
	assert_int_equal(params_strip_padding(plain.data, plain.len), plain.len);
}

static void pairs_that_do_not_end(void **state)
{
	static const struct {
		const char *params;
		size_t n;
	} cases[] = {
	    {"\xff\xff\xff\xfe\xff\xff\xff\xfe", 8}, /* ends the process in libfcgi */
	    {"\xff\xff\xff\xff\xff\xff\xff\xffx", 9},
	    {"\x04\x03NAMEab", 8}, /* a byte short */
	    {"\x04", 1},
	    {"\x04\x80\x00\x00", 4},
	    {"\x80", 1},
	    {"\x80\x02\x00\x00\x00x", 6},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes b = request(cases[i].params, cases[i].n, 100);

		assert_int_equal(scan(b.data, b.len), PARAMS_MALFORMED);
	}
}

static void other_records(void **state)
{
	struct bytes b = {.len = 0};

	(void)state;
	assert_int_equal(scan((const unsigned char *)"GET / HTTP/1.1", 14), PARAMS_MALFORMED);
	add_record(&b, 9, 0, PARAMS, sizeof PARAMS - 1, 0); /* GET_VALUES */
	assert_int_equal(scan(b.data, b.len), PARAMS_MALFORMED);
	assert_int_equal(scan(b.data, 2), PARAMS_MALFORMED);

	b.len = 0;
	add_record(&b, 1, 7, begin_body, 7, 0);
	assert_int_equal(scan(b.data, b.len), PARAMS_MALFORMED);

	b.len = 0;
	add_record(&b, 1, 7, begin_body, 8, 0);
	add_record(&b, 4, 8, PARAMS, sizeof PARAMS - 1, 0); /* of another request */
	assert_int_equal(scan(b.data, b.len), PARAMS_MALFORMED);

	b.len = 0;
	add_record(&b, 1, 7, begin_body, 8, 3);
	add_record(&b, 2, 7, "", 0, 0); /* ABORT */
	assert_int_equal(scan(b.data, b.len), PARAMS_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_requests_in_all_pieces),
	    cmocka_unit_test(padding_goes),
	    cmocka_unit_test(pairs_that_do_not_end),
	    cmocka_unit_test(other_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
