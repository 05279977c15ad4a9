/*
 * Waiting for connections at the listening socket.  Two threads may do so at the same time: the
 * leader, which serves itself what it accepts, so that a request needs no second thread and no
 * second core; and the keeper, which hands on what it accepts.  A connection wakes one of those
 * who wait (epoll_ctl(2), EPOLLEXCLUSIVE): a leader, of this process or of another one at the same
 * socket, and a keeper where none of them waits.
 */
#ifndef GOVERAGE_FCGI_SERVER_ARRIVALS_H
#define GOVERAGE_FCGI_SERVER_ARRIVALS_H

#include <stdbool.h>

#include "cgi/base/error.h"

struct arrivals {
	int listener_fd, signal_fd;	   /* not owned; the first one is non-blocking */
	int leader_epoll, leader_event_fd; /* the second one wakes the first; owned, as are these */
	int keeper_epoll, keeper_event_fd;
};

#define ARRIVALS_INIT ((struct arrivals){-1, -1, -1, -1, -1, -1})

must_check int arrivals_open(struct arrivals *arrivals, int listener_fd, int signal_fd,
			     struct error *err);

void arrivals_close(struct arrivals *arrivals);

/* A connection that has come, or -1 with errno: EAGAIN where there is none, maybe since another
 * thread or process was faster. */
int arrivals_accept(const struct arrivals *arrivals);

/* Is there one more connection, or has the listening socket been shut down? */
bool arrivals_more(const struct arrivals *arrivals);

/* --- the leader --------------------------------------------------------------------------------
 */

/* Wait.  True when connections may have come.  Each is told of once: what the leader does not
 * accept then is for the keeper, who has to be woken. */
bool arrivals_leader_wait(const struct arrivals *arrivals);

void arrivals_wake_leader(const struct arrivals *arrivals);

/* --- the keeper --------------------------------------------------------------------------------
 */

enum {
	ARRIVALS_CONNECTION = 1, /* there may be one */
	ARRIVALS_SIGNAL = 2,
	ARRIVALS_SHUT = 4, /* nobody can connect any more */
};

/* Wait for ms at most, or without an end where it is -1.  What has happened, 0 for nothing. */
int arrivals_keeper_wait(const struct arrivals *arrivals, int ms);

/* The same for a time in which no connection can be taken. */
int arrivals_keeper_pause(const struct arrivals *arrivals, int ms);

void arrivals_wake_keeper(const struct arrivals *arrivals);

#endif
