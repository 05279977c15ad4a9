#include "cgi/json_strict.h"

#include <stdbool.h>
#include <string.h>

static size_t digits(const char *text, size_t len, size_t at)
{
	size_t start = at;

	while (at < len && text[at] >= '0' && text[at] <= '9')
		at++;
	return at - start;
}

/* The length of the number at the beginning of the text (RFC 8259, 6), or 0 when there is none. */
static size_t number_length(const char *text, size_t len)
{
	size_t at = text[0] == '-', n = digits(text, len, at);

	if (n == 0 || (n > 1 && text[at] == '0'))
		return 0;
	at += n;
	if (at < len && text[at] == '.') {
		n = digits(text, len, ++at);
		if (n == 0)
			return 0;
		at += n;
	}
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		at += at < len && (text[at] == '+' || text[at] == '-');
		n = digits(text, len, at);
		if (n == 0)
			return 0;
		at += n;
	}
	return at;
}

/*
 * The length of the string at the beginning of the text; up to the end of the text where it has no
 * end; up to its first control character, and *control is set, where it has one.
 */
static size_t string_length(const char *text, size_t len, bool *control)
{
	size_t at = 1;

	while (at < len && text[at] != '"') {
		*control = (unsigned char)text[at] < 0x20;
		if (*control)
			return at;
		at +=
		    text[at] == '\\' && at + 1 < len && (unsigned char)text[at + 1] >= 0x20 ? 2 : 1;
	}
	return at < len ? at + 1 : len;
}

static bool is_number_start(unsigned char c)
{
	return c == '-' || (c >= '0' && c <= '9');
}

/* The length of true, false or null at the beginning of the text, or of what the end has left of
 * it. */
static size_t word_length(const char *text, size_t len)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]) < len ? strlen(words[i]) : len;

		if (memcmp(words[i], text, n) == 0)
			return n;
	}
	return 0;
}

static bool is_plain(unsigned char c)
{
	return c && strchr("{}[]:, \t\r\n", c);
}

static int refuse(const char *what, const char *text, size_t at, struct error *err)
{
	return error_set(err, ERROR_BAD_REQUEST,
			 "the request body is not valid JSON: %s 0x%02x at byte %zu", what,
			 (unsigned char)text[at], at);
}

int json_strict_check(const char *text, size_t len, struct error *err)
{
	size_t at = 0, n;
	bool control = false;

	while (at < len) {
		unsigned char c = (unsigned char)text[at];

		if (c == '"')
			n = string_length(text + at, len - at, &control);
		else if (is_number_start(c))
			n = number_length(text + at, len - at);
		else if (is_plain(c))
			n = 1;
		else
			n = word_length(text + at, len - at);
		if (n == 0)
			return refuse("invalid character", text, at, err);
		at += n;
		if (control)
			return refuse("control character", text, at, err);
	}
	return 0;
}
