/* POST /v1/cover/profile: the story of one coverage profile. */
#ifndef GOVERAGE_PROFILE_PROFILE_H
#define GOVERAGE_PROFILE_PROFILE_H

#include "cgi/exchange/exchange.h"

/* Answer with the profile that the request asks for.  -1 with the error to answer with. */
must_check int profile_handle(struct exchange *exchange, struct error *err);

#endif
