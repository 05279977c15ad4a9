/* The head of a FastCGI request, before libfcgi sees it. */
#include "fuzz.h"

#include "fcgi/params_scan.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_prefixes(data, size);
	return 0;
}
