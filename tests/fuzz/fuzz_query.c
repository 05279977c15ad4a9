/* The query string. */
#include "fuzz.h"

#include "cgi/exchange/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_query struct query q = QUERY_INIT;
	struct error err = {0};

	if (query_add_form(&q, (const char *)data, size, "query string", &err) < 0)
		fuzz_expect(err.class == ERROR_BAD_REQUEST && err.message[0]);
	return 0;
}
