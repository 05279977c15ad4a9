/*
 * POST /v1/cover/clear, as goc has it: from now on profiles tell what has run since.  Nothing is
 * deleted in a coverage directory, and nothing is written into a process: what has run so far is
 * kept as a baseline (see baseline.h).
 */
#ifndef GOVERAGE_BASELINE_CLEAR_H
#define GOVERAGE_BASELINE_CLEAR_H

#include "cgi/exchange/exchange.h"

/*
 * Answer one request.  With a selection (service, address, build) only what it chooses is cleared,
 * and nothing for a selection that fails.  -1: ERROR_FORBIDDEN with GOVERAGE_CLEAR=off,
 * ERROR_BAD_REQUEST, all that collect() fails with, and ERROR_INTERNAL with what to do where the
 * state directory can't be written.
 */
must_check int clear_handle(struct exchange *exchange, struct error *err);

#endif
