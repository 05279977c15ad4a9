/*
 * What goc has beyond this program: a centre, with which its agents register (POST
 * /v1/cover/register), and of which entries are removed (/remove, /init).
 */
#ifndef GOVERAGE_GOC_CENTER_H
#define GOVERAGE_GOC_CENTER_H

#include "cgi/exchange/exchange.h"

/* Say what is to be done instead.  -1: ERROR_NOT_OFFERED, always. */
must_check int goc_center_handle(struct exchange *exchange, struct error *err);

#endif
