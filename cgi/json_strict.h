/*
 * What json-c takes although it is no JSON, even when it is told to be strict: quotes of the other
 * kind, NaN, numbers such as 00 and 1., control characters inside strings.
 */
#ifndef GOVERAGE_JSON_STRICT_H
#define GOVERAGE_JSON_STRICT_H

#include <stddef.h>

#include "cgi/base/error.h"

/*
 * 0 when the text holds none of that; -1 with ERROR_BAD_REQUEST and the byte at which it stands.
 * Whether the rest is JSON is left to json-c.
 */
must_check int json_strict_check(const char *text, size_t len, struct error *err);

#endif
