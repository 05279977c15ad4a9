/* A peer that neither sends nor takes a byte for a while is given up. */
#ifndef GOVERAGE_SILENCE_H
#define GOVERAGE_SILENCE_H

#include <sys/socket.h>
#include <sys/time.h>

enum { SILENCE_S = 30 };

/* From now on: what blocks for so long fails.  direction: SO_RCVTIMEO or SO_SNDTIMEO. */
static inline void silence_limit(int connection, int direction)
{
	struct timeval silence = {.tv_sec = SILENCE_S};

	setsockopt(connection, SOL_SOCKET, direction, &silence, sizeof silence);
}

#endif
