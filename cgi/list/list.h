/*
 * GET /v1/cover/list: which programs there are.
 *
 * Without parameters the answer has goc's shape: one JSON object, the name of each program (the
 * base name of its executable) with an array of addresses, one for each process whose counters can
 * be read.  An address is proc://HOST/PID: the host as uname(2) names it, the pid as this program
 * sees it.  Names stand in byte order, pids in rising order; {} where there is no process.
 *
 * With ?format=detail it is what list_detail.h describes.  ?service=NAME, as often as need be,
 * leaves only the programs of these names.
 *
 * GOVERAGE_LIVE=required is no different from auto here: to see what can't be read is what one asks
 * for.
 */
#ifndef GOVERAGE_LIST_LIST_H
#define GOVERAGE_LIST_LIST_H

#include "cgi/exchange/exchange.h"

/* Answer with the list that the request asks for.  -1 with the error to answer with. */
must_check int list_handle(struct exchange *exchange, struct error *err);

#endif
