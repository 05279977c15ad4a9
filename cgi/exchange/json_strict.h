/*
 * What json-c takes although it is told to be strict: quotes of the other kind around keys, NaN and
 * Infinity, numbers such as 00 and 1., control characters inside strings.  Go refuses them.
 */
#ifndef GOVERAGE_EXCHANGE_JSON_STRICT_H
#define GOVERAGE_EXCHANGE_JSON_STRICT_H

#include <stddef.h>

#include "cgi/base/error.h"

/*
 * 0 when the text holds none of that; -1 with ERROR_BAD_REQUEST and the byte at which it stands.
 * Whether the rest is JSON is left to json-c.
 */
must_check int json_strict_check(const char *text, size_t len, struct error *err);

#endif
