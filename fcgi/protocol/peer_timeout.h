/* A peer that neither sends nor takes a byte for a while is given up. */
#ifndef GOVERAGE_FCGI_PROTOCOL_PEER_TIMEOUT_H
#define GOVERAGE_FCGI_PROTOCOL_PEER_TIMEOUT_H

#include <sys/socket.h>
#include <sys/time.h>

enum { PEER_TIMEOUT_S = 30 };

/* From now on: what blocks for so long fails.  direction: SO_RCVTIMEO or SO_SNDTIMEO. */
static inline void peer_timeout_set(int connection, int direction)
{
	struct timeval timeout = {.tv_sec = PEER_TIMEOUT_S};

	setsockopt(connection, SOL_SOCKET, direction, &timeout, sizeof timeout);
}

#endif
