#include "cgi/format/string_table.h"

#include <string.h>

int string_ref_compare(struct string_ref a, struct string_ref b)
{
	uint32_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.text, b.text, common) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

int string_table_read(struct string_table *table, struct byte_reader *r, struct error *err)
{
	uint64_t n = byte_reader_uleb(r);
	uint32_t i;

	/* a string takes a byte at least, so the bytes that are left bound the allocation */
	if (r->failed || n > byte_reader_left(r))
		return error_set(err, ERROR_INTERNAL, "has a damaged string table");
	table->strings = malloc((n ? n : 1) * sizeof *table->strings);
	if (!table->strings)
		return error_no_memory(err);
	table->n = (uint32_t)n;
	for (i = 0; i < table->n; i++) {
		uint64_t len = byte_reader_uleb(r);
		const uint8_t *text = byte_reader_take(r, len);

		if (r->failed || len > UINT32_MAX)
			return error_set(err, ERROR_INTERNAL, "has a damaged string table");
		table->strings[i] = (struct string_ref){(const char *)text, (uint32_t)len};
	}
	return 0;
}

void string_table_free(struct string_table *table)
{
	free(table->strings);
	*table = STRING_TABLE_INIT;
}
