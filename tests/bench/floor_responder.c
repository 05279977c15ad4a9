/*
 * The least that a FastCGI responder has to do so that lighttpd sends a file: it reads each request
 * to its end and names TMPDIR/profile, whatever is asked for; but to a path with "nowhere" in it
 * the answer is 404.  It listens on descriptor 0, and reads and writes once or twice.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 8, STDIN = 5, STDOUT = 6, END_REQUEST = 3 };

/* An empty record of standard input ends a request. */
static int is_whole(const unsigned char *bytes, size_t n)
{
	size_t at = 0;

	while (at + HEADER <= n) {
		size_t content = (size_t)bytes[at + 4] << 8 | bytes[at + 5];

		if (bytes[at + 1] == STDIN && content == 0)
			return 1;
		at += HEADER + content + bytes[at + 6];
	}
	return 0;
}

static size_t put_record(char *out, int type, const char *content, size_t n)
{
	const char header[HEADER] = {1, (char)type, 0, 1, (char)(n >> 8), (char)n, 0, 0};

	memcpy(out, header, HEADER);
	memcpy(out + HEADER, content, n);
	return HEADER + n;
}

static void answer(int connection, const unsigned char *request, size_t n, const char *directory)
{
	char head[4096], out[sizeof head + 4 * HEADER];
	size_t used;
	int len;

	if (memmem(request, n, "nowhere", 7))
		len = snprintf(head, sizeof head, "Status: 404 Not Found\r\n\r\n");
	else
		len = snprintf(head, sizeof head,
			       "Status: 200 OK\r\nContent-Type: text/plain\r\n"
			       "X-Sendfile: %s/profile\r\n\r\n",
			       directory);
	used = put_record(out, STDOUT, head, (size_t)len);
	used += put_record(out + used, STDOUT, "", 0);
	used += put_record(out + used, END_REQUEST, "\0\0\0\0\0\0\0", HEADER);
	if (write(connection, out, used) < 0)
		perror("floor_responder");
}

int main(void)
{
	static unsigned char request[64 << 10];
	const char *directory = getenv("TMPDIR");

	for (;;) {
		int connection = accept(0, NULL, NULL);
		size_t n = 0;

		if (connection < 0 || !directory)
			return 1;
		while (n < sizeof request && !is_whole(request, n)) {
			ssize_t got = read(connection, request + n, sizeof request - n);

			if (got <= 0)
				break;
			n += (size_t)got;
		}
		answer(connection, request, n, directory);
		close(connection);
	}
}
