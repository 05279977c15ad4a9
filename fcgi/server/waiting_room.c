#include "fcgi/server/waiting_room.h"

#include <stdlib.h>

int waiting_room_open(struct waiting_room *room, size_t size, struct error *err)
{
	*room = (struct waiting_room){calloc(size, sizeof *room->ring), size, 0, 0};
	return room->ring ? 0 : error_no_memory(err);
}

void waiting_room_close(struct waiting_room *room)
{
	free(room->ring);
	*room = WAITING_ROOM_INIT;
}

bool waiting_room_put(struct waiting_room *room, const struct connection *connection)
{
	if (room->n == room->size)
		return false;
	room->ring[(room->first + room->n++) % room->size] = *connection;
	return true;
}

const struct connection *waiting_room_first(const struct waiting_room *room)
{
	return room->n ? &room->ring[room->first] : NULL;
}

struct connection waiting_room_take(struct waiting_room *room)
{
	struct connection first = room->ring[room->first];

	room->first = (room->first + 1) % room->size;
	room->n--;
	return first;
}
