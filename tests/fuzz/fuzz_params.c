/* The head of a FastCGI request, before libfcgi sees it. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/protocol/params_scan.h"

/* What was judged may not be judged otherwise with more bytes. */
static void check_prefixes(const uint8_t *data, size_t size)
{
	enum params_state last = PARAMS_INCOMPLETE, now;
	size_t n, len, step = size / 64 + 1;

	for (n = 0; n <= size; n += step) {
		now = params_scan(data, n, &len);
		fuzz_expect(now != PARAMS_COMPLETE || (len > 0 && len <= n));
		fuzz_expect(last == PARAMS_INCOMPLETE || now == last);
		last = now;
	}
}

/* Without padding it is a head still, of the same parameters, and nothing stands behind it. */
static void check_stripped(const uint8_t *data, size_t size)
{
	size_t len, again, stripped;
	unsigned char *copy;

	if (params_scan(data, size, &len) != PARAMS_COMPLETE)
		return;
	copy = malloc(len);
	fuzz_expect(copy != NULL);
	memcpy(copy, data, len);
	stripped = params_strip_padding(copy, len);
	fuzz_expect(stripped > 0 && stripped <= len);
	fuzz_expect(params_scan(copy, stripped, &again) == PARAMS_COMPLETE && again == stripped);
	fuzz_expect(params_strip_padding(copy, stripped) == stripped);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_prefixes(data, size);
	check_stripped(data, size);
	return 0;
}
