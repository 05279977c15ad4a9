#include "cgi/directory/coverage_names.h"

#include <string.h>

static const char meta_prefix[] = "covmeta.";
static const char counters_prefix[] = "covcounters.";

/* The blanks of Go's regexp syntax (\s): there is no vertical tab among them. */
static bool is_tag(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (memchr("\t\n\f\r ", s[i], 5))
			return false;
	return n > 0;
}

/*
 * Take ".digits" off the end of the n bytes at s: what is left, or 0 when they end otherwise.  A
 * number beyond `max` becomes max.
 */
static size_t take_number(const char *s, size_t n, uint64_t max, uint64_t *value)
{
	size_t start = n, i;

	while (start > 0 && s[start - 1] >= '0' && s[start - 1] <= '9')
		start--;
	if (start == n || start == 0 || s[start - 1] != '.')
		return 0;
	*value = 0;
	for (i = start; i < n; i++) {
		unsigned digit = (unsigned)(s[i] - '0');

		*value = *value > (max - digit) / 10 ? max : *value * 10 + digit;
	}
	return start - 1;
}

static bool parse_counters(const char *rest, size_t n, struct coverage_file *file)
{
	n = take_number(rest, n, UINT64_MAX, &file->time_ns);
	/* covdata ignores a file whose pid is no 64-bit signed number */
	n = take_number(rest, n, (uint64_t)INT64_MAX + 1, &file->pid);
	if (!is_tag(rest, n) || file->pid > INT64_MAX)
		return false;
	file->kind = COVERAGE_COUNTERS;
	file->tag_len = n;
	return true;
}

bool coverage_name_parse(const char *name, struct coverage_file *file)
{
	size_t n = strlen(name);

	if (strncmp(name, counters_prefix, sizeof counters_prefix - 1) == 0)
		return parse_counters(name + sizeof counters_prefix - 1,
				      n - (sizeof counters_prefix - 1), file);
	if (strncmp(name, meta_prefix, sizeof meta_prefix - 1) != 0)
		return false;
	file->kind = COVERAGE_META;
	file->tag_len = n - (sizeof meta_prefix - 1);
	file->pid = file->time_ns = 0;
	return is_tag(name + sizeof meta_prefix - 1, file->tag_len);
}

const char *coverage_tag(const struct coverage_file *file)
{
	return file->name +
	       (file->kind == COVERAGE_META ? sizeof meta_prefix - 1 : sizeof counters_prefix - 1);
}

bool coverage_tag_is(const struct coverage_file *file, const char *text)
{
	return text && strlen(text) == file->tag_len &&
	       memcmp(text, coverage_tag(file), file->tag_len) == 0;
}

int coverage_compare_tags(const struct coverage_file *a, const struct coverage_file *b)
{
	size_t n = a->tag_len < b->tag_len ? a->tag_len : b->tag_len;
	int order = memcmp(coverage_tag(a), coverage_tag(b), n);

	return order ? order : (a->tag_len > b->tag_len) - (a->tag_len < b->tag_len);
}
