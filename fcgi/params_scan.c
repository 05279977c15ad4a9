#include "fcgi/params_scan.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	RECORD_HEADER =
	    8, /* version, type, request id (2), content length (2), padding length, reserved */
	RECORD_VERSION = 1,
	TYPE_BEGIN_REQUEST = 1,
	TYPE_PARAMS = 4,
	BEGIN_BODY = 8,
	MORE_PAUSE_MS = 2, /* between two looks at a head that comes in pieces */
};

struct record {
	unsigned type, request_id;
	const unsigned char *content;
	size_t content_len;
	size_t total; /* header and padding included */
};

/* Where we are in the stream of pairs: lengths first, then what they announce. */
struct pair_walk {
	unsigned char lengths[8];
	size_t have;	  /* bytes of lengths so far */
	uint64_t to_skip; /* bytes of the name and the value that are still to come */
};

static enum params_state read_record(const unsigned char *bytes, size_t n, struct record *record)
{
	if (n >= 1 && bytes[0] != RECORD_VERSION)
		return PARAMS_MALFORMED;
	if (n < RECORD_HEADER)
		return PARAMS_INCOMPLETE;
	record->type = bytes[1];
	record->request_id = (unsigned)bytes[2] << 8 | bytes[3];
	record->content = bytes + RECORD_HEADER;
	record->content_len = (size_t)bytes[4] << 8 | bytes[5];
	record->total = RECORD_HEADER + record->content_len + bytes[6];
	return n < record->total ? PARAMS_INCOMPLETE : PARAMS_COMPLETE;
}

/* How many bytes a length takes, by its first byte. */
static size_t length_size(unsigned char first)
{
	return first & 0x80 ? 4 : 1;
}

static uint32_t read_length(const unsigned char *at)
{
	if (!(*at & 0x80))
		return *at;
	return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

/* Are both lengths there?  Then count what they announce, and be ready for the next pair. */
static void finish_lengths(struct pair_walk *walk)
{
	size_t name_size = length_size(walk->lengths[0]);

	if (walk->have <= name_size ||
	    walk->have < name_size + length_size(walk->lengths[name_size]))
		return;
	walk->to_skip =
	    (uint64_t)read_length(walk->lengths) + read_length(walk->lengths + name_size);
	walk->have = 0;
}

/* Walk over n bytes of the stream.  False for a pair that can't end within the limit. */
static bool walk_pairs(struct pair_walk *walk, const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		if (walk->to_skip > PARAMS_SCAN_MAX)
			return false;
		if (walk->to_skip > 0) {
			size_t skip = walk->to_skip < n ? (size_t)walk->to_skip : n;

			walk->to_skip -= skip;
			bytes += skip;
			n -= skip;
			continue;
		}
		walk->lengths[walk->have++] = *bytes++;
		n--;
		finish_lengths(walk);
	}
	return walk->to_skip <= PARAMS_SCAN_MAX;
}

/* As params_scan(), with the length of a complete head. */
static enum params_state scan(const unsigned char *bytes, size_t n, size_t *len)
{
	struct pair_walk walk = {.have = 0};
	struct record begin, record;
	enum params_state state = read_record(bytes, n, &begin);
	size_t at;

	*len = 0;
	if (n >= 2 && bytes[0] == RECORD_VERSION && bytes[1] != TYPE_BEGIN_REQUEST)
		return PARAMS_MALFORMED;
	if (state != PARAMS_COMPLETE)
		return state;
	if (begin.content_len != BEGIN_BODY)
		return PARAMS_MALFORMED;
	for (at = begin.total;; at += record.total) {
		state = read_record(bytes + at, n - at, &record);
		if (state != PARAMS_COMPLETE)
			return state;
		if (record.type != TYPE_PARAMS || record.request_id != begin.request_id)
			return PARAMS_MALFORMED;
		*len = at + record.total;
		if (record.content_len == 0)
			return walk.have || walk.to_skip ? PARAMS_MALFORMED : PARAMS_COMPLETE;
		if (!walk_pairs(&walk, record.content, record.content_len))
			return PARAMS_MALFORMED;
	}
}

enum params_state params_scan(const unsigned char *bytes, size_t n)
{
	size_t len;

	return scan(bytes, n, &len);
}

/* One look.  The state, with `grown` telling whether there is more than at the last look. */
static enum params_state look(int connection, unsigned char *room, size_t *seen, bool *grown,
			      size_t *len)
{
	ssize_t got = recv(connection, room, PARAMS_SCAN_MAX, MSG_PEEK | MSG_DONTWAIT);

	*grown = got > 0 && (size_t)got > *seen;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? PARAMS_INCOMPLETE : PARAMS_MALFORMED;
	if (got == 0 || got == PARAMS_SCAN_MAX)
		return got && scan(room, (size_t)got, len) == PARAMS_COMPLETE ? PARAMS_COMPLETE
									      : PARAMS_MALFORMED;
	if (!*grown)
		return PARAMS_INCOMPLETE;
	*seen = (size_t)got;
	return scan(room, (size_t)got, len);
}

/*
 * Wait for more than was seen.  What was seen stays in the socket, so poll(2) can tell only that
 * the peer has closed: apart from that, look again in a moment.
 */
static int wait_for_more(int connection, size_t seen, const struct deadline *deadline,
			 struct error *err)
{
	struct pollfd closed = {connection, POLLRDHUP, 0};
	enum deadline_result result = DEADLINE_READY;

	if (seen == 0)
		result = deadline_wait(deadline, connection, POLLIN);
	else if (poll(&closed, 1, MORE_PAUSE_MS) > 0)
		return error_set(err, ERROR_BAD_REQUEST, "the request broke off in its head");
	if (result != DEADLINE_READY || deadline_left_ms(deadline) == 0)
		return error_set(err, ERROR_TIMEOUT, "the request's head did not arrive in time");
	return 0;
}

/* What was looked at stays there until the head is whole: a head has to fit in. */
static void make_room(int connection)
{
	int room = 2 * PARAMS_SCAN_MAX;

	setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

static int await(int connection, unsigned char *room, size_t *len, const struct deadline *deadline,
		 struct error *err)
{
	bool grown, first = true;
	size_t seen = 0;

	for (;; first = false) {
		switch (look(connection, room, &seen, &grown, len)) {
		case PARAMS_COMPLETE:
			return 0;
		case PARAMS_MALFORMED:
			return error_set(
			    err, ERROR_BAD_REQUEST,
			    "what came was no FastCGI request, or its parameters are over "
			    "%d bytes",
			    PARAMS_SCAN_MAX);
		case PARAMS_INCOMPLETE:
			break;
		}
		if (first)
			make_room(connection);
		if (!grown && wait_for_more(connection, seen, deadline, err) < 0)
			return -1;
	}
}

unsigned char *params_take(int connection, size_t *len, const struct deadline *deadline,
			   struct error *err)
{
	cleanup_free unsigned char *room = malloc(PARAMS_SCAN_MAX);

	if (!room) {
		error_no_memory(err);
		return NULL;
	}
	if (await(connection, room, len, deadline, err) < 0)
		return NULL;
	/* it has been seen there, so it comes at once */
	if (recv(connection, room, *len, MSG_WAITALL) != (ssize_t)*len) {
		error_set(err, ERROR_BAD_REQUEST, "the request broke off in its head");
		return NULL;
	}
	return steal_ptr(room);
}
