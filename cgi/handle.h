/* One request from its head to its answer. */
#ifndef GOVERAGE_HANDLE_H
#define GOVERAGE_HANDLE_H

#include "cgi/base/error.h"
#include "cgi/exchange/app.h"
#include "cgi/exchange/gateway.h"

/* Answer the request that waits in the gateway.  Whatever goes wrong is the answer. */
void handle_request(struct app *app, struct gateway *gateway);

/* Answer it with an error that was found before any request could be understood (a bad setting:
 * 500). */
void handle_refusal(struct gateway *gateway, const struct error *error);

/*
 * Refuse it since there is too much to do (503), without a line in the log, of which there would be
 * too many: the caller counts.
 */
void handle_overload(struct gateway *gateway, const struct error *error);

#endif
