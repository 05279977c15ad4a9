/*
 * The thread that accepts connections, and holds those on which no request is complete: what has
 * not come yet keeps no other thread.  A complete request is handed to the workers; one that can't
 * be is refused here, and so is one that does not come in time.
 */
#ifndef GOVERAGE_FCGI_SERVER_ACCEPTOR_H
#define GOVERAGE_FCGI_SERVER_ACCEPTOR_H

#include <stdint.h>

#include "cgi/base/error.h"
#include "cgi/exchange/app.h"
#include "fcgi/server/limits.h"
#include "fcgi/server/listener.h"

struct acceptor; /* private */

/* None of the arguments is owned; signal_fd is readable when it is time to end.  NULL with the
 * reason. */
must_check struct acceptor *acceptor_new(struct app *app, const struct listener *listener,
					 int signal_fd, const struct limits *limits,
					 struct error *err);

/* Serve until it is time to end, or nobody can connect any more. */
void acceptor_serve(struct acceptor *acceptor);

/*
 * Accept no more, and go on until everything that is there has been answered: what is in work is
 * finished; what is not has until end_ns (monotonic clock).
 */
void acceptor_finish(struct acceptor *acceptor, int64_t end_ns);

/* NULL is fine. */
void acceptor_free(struct acceptor *acceptor);

#endif
