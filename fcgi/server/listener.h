/* The listening socket of a FastCGI responder: one that was handed down, or one of our own. */
#ifndef GOVERAGE_FCGI_SERVER_LISTENER_H
#define GOVERAGE_FCGI_SERVER_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgi/base/error.h"

struct listener {
	int fd;		 /* non-blocking, close-on-exec */
	bool shared;	 /* other processes may accept from it */
	char *unix_path; /* of a socket that we made; NULL otherwise; owned */
	dev_t device;	 /* of the file at unix_path, as we made it */
	ino_t inode;
};

#define LISTENER_INIT ((struct listener){.fd = -1})

/* Is fd a socket that listens?  Exact for everything that a web server may put there. */
bool listener_is_listening(int fd);

/* Take over the listening socket that the web server or spawn-fcgi left on fd. */
must_check int listener_adopt(struct listener *listener, int fd, struct error *err);

/*
 * Listen on ADDRESS: "HOST:PORT" with a numeric IPv4 address, "[HOST]:PORT" with IPv6, or
 * "unix:PATH" (absolute or relative; made with permissions `mode`).  A socket file that nobody
 * listens on any more is replaced; one that is in use, or any other file, is an error.
 */
must_check int listener_open(struct listener *listener, const char *address, mode_t mode,
			     struct error *err);

/* The socket file that we made goes with it; not one that somebody has put in its place. */
void listener_close(struct listener *listener);

#define cleanup_listener cleanup_with(listener_close)

#endif
