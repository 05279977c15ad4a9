/* Where a request looks for coverage files. */
#ifndef GOVERAGE_EXCHANGE_GOCOVERDIR_H
#define GOVERAGE_EXCHANGE_GOCOVERDIR_H

#include "cgi/exchange/exchange.h"

/*
 * GOCOVERDIR for a request.  The process's own environment wins, so that setting it there locks it.
 * A FastCGI parameter counts where the process has none: only the web server's configuration can
 * make one, since headers arrive as HTTP_*.  The string lives as long as the exchange.  NULL with
 * ERROR_INTERNAL where neither has one.
 */
must_check const char *coverage_directory(const struct exchange *exchange, struct error *err);

#endif
