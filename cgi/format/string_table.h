/* The string table of Go's coverage files: uleb count, then for each string uleb length and
 * bytes. */
#ifndef GOVERAGE_FORMAT_STRING_TABLE_H
#define GOVERAGE_FORMAT_STRING_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/byte_reader.h"

/* A string inside the bytes that were decoded: any bytes, not NUL-terminated, not owned. */
struct string_ref {
	const char *text;
	uint32_t len;
};

struct string_table {
	struct string_ref *strings; /* owned */
	uint32_t n;
};

#define STRING_TABLE_INIT ((struct string_table){0})

/* Byte order, as Go compares strings: negative, 0, positive. */
int string_ref_compare(struct string_ref a, struct string_ref b);

/*
 * Decode the table at the cursor, which then stands behind it.  The strings stay in the bytes under
 * the cursor.  -1: ERROR_INTERNAL for a table that is damaged, ERROR_UNAVAILABLE when out of
 * memory.
 */
must_check int string_table_read(struct string_table *table, struct byte_reader *r,
				 struct error *err);

void string_table_free(struct string_table *table);

#define cleanup_string_table cleanup_with(string_table_free)

#endif
