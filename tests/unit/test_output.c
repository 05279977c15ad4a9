/* The records of an answer, as the other end of the connection gets them. */
#include "unit.h"

#include <fastcgi.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/protocol/output.h"

enum { REQUEST_ID = 0x0102 };

struct sender {
	int connection;
	const uint8_t *bytes;
	size_t n;
	bool last;
	int rc;
};

static struct output output_on(int connection)
{
	return (struct output){
	    .fd = connection, .request_id = REQUEST_ID, .deadline = deadline_in_ms(60000, -1)};
}

static void *send_it(void *argument)
{
	struct sender *sender = argument;

	static const uint8_t nothing;
	struct output output = output_on(sender->connection);

	/* in pieces of every length, long and short ones */
	sender->rc = output_write(&output, sender->bytes, sender->n / 3);
	sender->rc |=
	    output_write(&output, sender->bytes + sender->n / 3, sender->n - sender->n / 3);
	sender->rc |= output_write(&output, &nothing, 0);
	output_end(&output, sender->last ? OUTPUT_THEN_LAST : OUTPUT_THEN_ANY);
	sender->rc |= output.failed ? -1 : 0;
	close(sender->connection);
	return NULL;
}

/* A little at a time, as a slow peer does: writes are cut anywhere. */
static size_t read_slowly(int fd, uint8_t *out, size_t room)
{
	size_t at = 0, step = 1;
	ssize_t got;

	while ((got = read(fd, out + at, step < room - at ? step : room - at)) > 0) {
		at += (size_t)got;
		step = step * 3 % 10007 + 1;
	}
	return at;
}

/* One record; returns its content's length, and leaves *at behind it. */
static size_t expect_record(const uint8_t **at, size_t *len, unsigned type)
{
	FCGI_Header header;
	size_t content;

	assert_true(*len >= sizeof header);
	memcpy(&header, *at, sizeof header);
	content = (size_t)header.contentLengthB1 << 8 | header.contentLengthB0;
	assert_int_equal(header.version, FCGI_VERSION_1);
	assert_int_equal(header.type, type);
	assert_int_equal(header.requestIdB1 << 8 | header.requestIdB0, REQUEST_ID);
	assert_int_equal(header.paddingLength, 0);
	assert_true(*len >= sizeof header + content);
	*at += sizeof header + content;
	*len -= sizeof header + content;
	return content;
}

static void expect_records(const uint8_t *at, size_t len, const uint8_t *bytes, size_t n, bool last)
{
	size_t content;

	while ((content = expect_record(&at, &len, FCGI_STDOUT)) > 0) {
		assert_true(content <= n);
		assert_memory_equal(at - content, bytes, content);
		bytes += content;
		n -= content;
	}
	assert_int_equal(n, 0);
	assert_int_equal(expect_record(&at, &len, FCGI_END_REQUEST), 8);
	if (last)
		assert_int_equal(expect_record(&at, &len, FCGI_STDERR), 0);
	assert_int_equal(len, 0);
}

static void send_and_read(size_t n)
{
	uint8_t *bytes = malloc(n + 1), *got = malloc(n + n / 1000 + 1024);
	int ends[2], room = 4096;
	struct sender sender;
	pthread_t thread;
	size_t len, i;

	for (i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	sender = (struct sender){ends[0], bytes, n, n % 2, -1};
	assert_int_equal(pthread_create(&thread, NULL, send_it, &sender), 0);
	len = read_slowly(ends[1], got, n + n / 1000 + 1024);
	pthread_join(thread, NULL);
	close(ends[1]);
	assert_int_equal(sender.rc, 0);
	expect_records(got, len, bytes, n, n % 2);
	free(bytes);
	free(got);
}

static void every_length(void **state)
{
	static const size_t lengths[] = {0,	1,     8192,  65527,   65528,
					 65529, 65535, 65536, 4193792, 9000001};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		send_and_read(lengths[i]);
}

static void peer_that_is_gone(void **state)
{
	static const uint8_t bytes[100000];
	struct output output;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[1]);
	output = output_on(ends[0]);
	assert_int_equal(output_write(&output, bytes, sizeof bytes), -1);
	output_end(&output, OUTPUT_THEN_ANY);
	assert_true(output.failed);
	close(ends[0]);
}

static void peer_that_takes_nothing(void **state)
{
	const size_t n = 16 << 20;
	struct output output;
	uint8_t *bytes = calloc(1, n);
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	output = output_on(ends[0]);
	output.deadline = deadline_in_ms(50, -1);
	assert_int_equal(output_write(&output, bytes, n), -1);
	close(ends[0]);
	close(ends[1]);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_length),
	    cmocka_unit_test(peer_that_is_gone),
	    cmocka_unit_test(peer_that_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
