#include "cgi/pattern/go_pattern_parse.h"

#include <string.h>

#include "cgi/base/excerpt.h"
#include "cgi/base/utf8.h"

enum { FRAGMENT_MAX = 340 }; /* bytes of the pattern in a message */

int go_fault(struct go_parser *p, const char *what, size_t from, size_t to)
{
	char fragment[FRAGMENT_MAX];

	excerpt(fragment, sizeof fragment, p->text + from, to - from);
	return error_set(p->err, ERROR_BAD_REQUEST, "%s: `%s`", what, fragment);
}

bool looking_at(const struct go_parser *p, const char *text)
{
	const size_t n = strlen(text);

	return p->len - p->at >= n && memcmp(p->text + p->at, text, n) == 0;
}

int read_character(struct go_parser *p, uint32_t *c)
{
	size_t n;

	*c = 0xfffd;
	if (at_end(p))
		return 0;
	n = utf8_decode(p->text + p->at, p->len - p->at, c);
	if (!n)
		return go_fault(p, "invalid UTF-8", p->at, p->len);
	p->at += n;
	return 0;
}

int check_utf8(struct go_parser *p, size_t from, size_t to)
{
	size_t n;

	while (from < to) {
		n = utf8_decode(p->text + from, to - from, NULL);
		if (!n)
			return go_fault(p, "invalid UTF-8", from, to);
		from += n;
	}
	return 0;
}

size_t find_byte(const struct go_parser *p, char c)
{
	const char *found = memchr(p->text + p->at, c, p->len - p->at);

	return found ? (size_t)(found - p->text) : p->len;
}

static bool next_is_octal(const struct go_parser *p)
{
	return !at_end(p) && p->text[p->at] >= '0' && p->text[p->at] <= '7';
}

static bool hex_value(uint32_t c, uint32_t *value)
{
	if (c >= '0' && c <= '9')
		*value = c - '0';
	else if (c >= 'a' && c <= 'f')
		*value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		*value = c - 'A' + 10;
	else
		return false;
	return true;
}

static bool is_ascii_alphanumeric(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int bad_escape(struct go_parser *p, size_t from)
{
	return go_fault(p, "invalid escape sequence", from, p->at);
}

/* Up to two more octal digits. */
static uint32_t read_octal(struct go_parser *p, uint32_t first)
{
	uint32_t value = first - '0';

	for (int i = 1; i < 3 && next_is_octal(p); i++)
		value = value * 8 + (uint32_t)(p->text[p->at++] - '0');
	return value;
}

/* Behind \x{: any number of digits, up to U+10FFFF. */
static int read_braced_hex(struct go_parser *p, size_t from, uint32_t *c)
{
	uint32_t value = 0, digit, next;
	bool any = false;

	for (;;) {
		if (at_end(p))
			return bad_escape(p, from);
		if (read_character(p, &next) < 0)
			return -1;
		if (next == '}')
			break;
		if (!hex_value(next, &digit))
			return bad_escape(p, from);
		value = value * 16 + digit;
		if (value > MAX_CODE_POINT)
			return bad_escape(p, from);
		any = true;
	}
	*c = value;
	return any ? 0 : bad_escape(p, from);
}

/* Behind \x. */
static int read_hex(struct go_parser *p, size_t from, uint32_t *c)
{
	uint32_t first, second, high, low;

	if (at_end(p))
		return bad_escape(p, from);
	if (read_character(p, &first) < 0)
		return -1;
	if (first == '{')
		return read_braced_hex(p, from, c);
	if (read_character(p, &second) < 0)
		return -1;
	if (!hex_value(first, &high) || !hex_value(second, &low))
		return bad_escape(p, from);
	*c = high * 16 + low;
	return 0;
}

int read_escape(struct go_parser *p, uint32_t *c)
{
	static const char letters[] = "afnrtv", meaning[] = "\a\f\n\r\t\v";
	const size_t from = p->at++;
	const char *letter;

	if (at_end(p))
		return go_fault(p, "trailing backslash at end of expression", p->at, p->at);
	if (read_character(p, c) < 0)
		return -1;
	if (*c < 0x80 && !is_ascii_alphanumeric(*c))
		return 0;
	if (*c == '0' || (*c >= '1' && *c <= '7' && next_is_octal(p))) {
		*c = read_octal(p, *c);
		return 0;
	}
	if (*c == 'x')
		return read_hex(p, from, c);
	letter = *c < 0x80 ? strchr(letters, (int)*c) : NULL;
	if (!letter)
		return bad_escape(p, from);
	*c = (uint32_t)meaning[letter - letters];
	return 0;
}
