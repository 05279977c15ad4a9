/* Connections that no thread has time for yet, in the order of their coming.  No lock of its own.
 */
#ifndef GOVERAGE_FCGI_SERVER_WAITING_ROOM_H
#define GOVERAGE_FCGI_SERVER_WAITING_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/error.h"
#include "fcgi/server/connection.h"

struct waiting_room {
	struct connection *ring; /* owned */
	size_t size, first, n;
};

#define WAITING_ROOM_INIT ((struct waiting_room){NULL, 0, 0, 0})

must_check int waiting_room_open(struct waiting_room *room, size_t size, struct error *err);

/* False when it is full. */
bool waiting_room_put(struct waiting_room *room, const struct connection *connection);

/* The one that came first, which stays; NULL when there is none. */
const struct connection *waiting_room_first(const struct waiting_room *room);

/* Take out the one that came first; there is one. */
struct connection waiting_room_take(struct waiting_room *room);

/* It must be empty. */
void waiting_room_close(struct waiting_room *room);

#endif
