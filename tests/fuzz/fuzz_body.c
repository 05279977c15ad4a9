/* The request body, as JSON and as a form. */
#include "fuzz.h"

#include "cgi/base/utf8.h"
#include "cgi/exchange/query.h"

static void check_list(const struct string_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		fuzz_expect(utf8_valid(list->items[i].text, list->items[i].len));
}

static void read_as(const uint8_t *data, size_t size, const char *type)
{
	cleanup_query struct query q = QUERY_INIT;
	struct error err = {0};

	if (query_add_body(&q, (const char *)data, size, type, &err) < 0)
		fuzz_expect(err.class == ERROR_BAD_REQUEST && err.message[0]);
	check_list(&q.skip_file);
	check_list(&q.cover_file);
	check_list(&q.service);
	check_list(&q.address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(data, size, "application/json");
	read_as(data, size, "application/x-www-form-urlencoded");
	return 0;
}
