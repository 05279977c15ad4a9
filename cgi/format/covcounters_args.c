#include "cgi/format/covcounters_args.h"

#include <string.h>

#include "cgi/format/string_table.h"

static int damaged(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "has a damaged list of program arguments");
}

static int compare_strings(const void *a, const void *b)
{
	return string_ref_compare(*(const struct string_ref *)a, *(const struct string_ref *)b);
}

static bool have_duplicates(struct string_ref *keys, size_t n)
{
	size_t i;

	qsort(keys, n, sizeof *keys, compare_strings);
	for (i = 1; i < n; i++)
		if (compare_strings(&keys[i], &keys[i - 1]) == 0)
			return true;
	return false;
}

/* What Go's strconv.Atoi takes, but for the sign of a negative number, with which covdata can't go
 * on. */
static bool is_count(struct string_ref text)
{
	uint64_t value = 0;
	uint32_t i = text.len > 1 && text.text[0] == '+';

	if (text.len == 0)
		return false;
	for (; i < text.len; i++) {
		if (text.text[i] < '0' || text.text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.text[i] - '0');
		if (value > UINT32_MAX)
			return false;
	}
	return true;
}

int covcounters_check_args(struct byte_reader strings, struct byte_reader args, struct error *err)
{
	static const struct string_ref argc_key = {"argc", 4};
	cleanup_string_table struct string_table table = STRING_TABLE_INIT;
	cleanup_free struct string_ref *keys = NULL;
	uint64_t n, i;

	if (string_table_read(&table, &strings, err) < 0)
		return -1;
	n = byte_reader_uleb(&args);
	if (args.failed || n > byte_reader_left(&args) / 2)
		return damaged(err);
	keys = malloc((n ? n : 1) * sizeof *keys);
	if (!keys)
		return error_no_memory(err);
	for (i = 0; i < n; i++) {
		uint64_t key = byte_reader_uleb(&args), value = byte_reader_uleb(&args);

		if (args.failed || key >= table.n || value >= table.n)
			return damaged(err);
		keys[i] = table.strings[key];
		if (string_ref_compare(keys[i], argc_key) == 0 && !is_count(table.strings[value]))
			return damaged(err);
	}
	return have_duplicates(keys, n) ? damaged(err) : 0;
}
