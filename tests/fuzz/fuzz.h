/*
 * A fuzz target is one function.  With libFuzzer (--enable-fuzzers) it is driven by coverage; otherwise
 * replay.c runs it over the seed files, so that every build executes every target.
 */
#ifndef GOVERAGE_TESTS_FUZZ_FUZZ_H
#define GOVERAGE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A failed expectation ends the run, as a crash does. */
#define fuzz_expect(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			__builtin_trap();                                                          \
	} while (0)

#endif
