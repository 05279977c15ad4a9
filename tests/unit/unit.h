/* What every unit test includes: cmocka and the headers that it wants before itself. */
#ifndef GOVERAGE_TESTS_UNIT_UNIT_H
#define GOVERAGE_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
