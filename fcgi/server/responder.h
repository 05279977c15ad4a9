/* The persistent process: it accepts connections and has them answered until it is to end. */
#ifndef GOVERAGE_FCGI_SERVER_RESPONDER_H
#define GOVERAGE_FCGI_SERVER_RESPONDER_H

#include "cgi/base/error.h"
#include "cgi/exchange/app.h"
#include "fcgi/server/listener.h"

/*
 * Block, in this thread and in all that it will start, the signals that responder_run() waits for.
 * Before anything else, so that none of them is lost.
 */
void responder_block_signals(void);

/*
 * Answer requests until SIGTERM, SIGINT, SIGHUP or SIGUSR1 arrives, or whoever made the listening
 * socket shuts it down; then take no more connections, finish what is under way, and return 0.  -1
 * when it can't be started.
 */
must_check int responder_run(struct app *app, const struct listener *listener, struct error *err);

#endif
