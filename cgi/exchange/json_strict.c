#include "cgi/exchange/json_strict.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Does the number end in a point, or begin with a zero that is not its only digit there? */
static bool is_odd_number(const char *text, size_t len, size_t at)
{
	size_t first = at && text[at - 1] == '-' ? at - 1 : at;
	unsigned char before = first ? (unsigned char)text[first - 1] : ' ';
	bool digit_follows = at + 1 < len && isdigit((unsigned char)text[at + 1]);

	if (text[at] == '.')
		return !digit_follows;
	return text[at] == '0' && digit_follows && !isalnum(before) && !strchr(".+", before);
}

static int refuse(const char *what, const char *text, size_t at, struct error *err)
{
	return error_set(err, ERROR_BAD_REQUEST,
			 "the request body is not valid JSON: %s 0x%02x at byte %zu", what,
			 (unsigned char)text[at], at);
}

int json_strict_check(const char *text, size_t len, struct error *err)
{
	bool in_string = false;
	size_t at;

	for (at = 0; at < len; at++) {
		if (in_string && (unsigned char)text[at] < 0x20)
			return refuse("control character", text, at, err);
		if (in_string && text[at] == '\\')
			at++;
		else if (text[at] == '"')
			in_string = !in_string;
		else if (!in_string && (strchr("'NI", text[at]) || is_odd_number(text, len, at)))
			return refuse("invalid character", text, at, err);
	}
	return 0;
}
