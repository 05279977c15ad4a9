/* Classic CGI, RFC 3875: meta-variables in the environment, the body on fd 0, the answer to fd
 * 1. */
#ifndef GOVERAGE_EXCHANGE_GATEWAY_CGI_H
#define GOVERAGE_EXCHANGE_GATEWAY_CGI_H

#include "cgi/exchange/gateway.h"

/*
 * The gateway of this process.  The flags of fd 0 and fd 1 are never changed: under Apache's
 * mod_cgid both are one socket.
 */
void gateway_cgi_init(struct gateway *gateway);

#endif
