/* One request on its way to its answer, as a handler sees it. */
#ifndef GOVERAGE_EXCHANGE_EXCHANGE_H
#define GOVERAGE_EXCHANGE_EXCHANGE_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/exchange/app.h"
#include "cgi/exchange/gateway.h"
#include "cgi/exchange/request.h"
#include "cgi/exchange/response.h"

/* Everything that a handler may use; nothing of it is owned by the handler. */
struct exchange {
	struct app *app;
	struct gateway *gateway;
	const struct request *request;
	struct response *response;
	struct deadline deadline;
};

#endif
