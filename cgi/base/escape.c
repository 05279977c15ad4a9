#include "cgi/base/escape.h"

#include "cgi/base/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static void append_escaped(struct buffer *out, const char *text, size_t len)
{
	unsigned char byte = (unsigned char)*text;

	if (len > 1)
		buffer_append(out, text, len);
	else if (byte == '"' || byte == '\\')
		buffer_printf(out, "\\%c", byte);
	else if (byte == '\n')
		buffer_puts(out, "\\n");
	else if (byte == '\t')
		buffer_puts(out, "\\t");
	else if (byte < 0x20 || byte == 0x7f)
		buffer_printf(out, "\\u%04x", byte);
	else
		buffer_putc(out, (char)byte);
}

void escape_json(struct buffer *out, const char *text, size_t n)
{
	size_t at, len;

	buffer_putc(out, '"');
	for (at = 0; at < n; at += len ? len : 1) {
		len = utf8_decode(text + at, n - at, NULL);
		if (len)
			append_escaped(out, text + at, len);
		else
			buffer_puts(out, replacement);
	}
	buffer_putc(out, '"');
}

void escape_plain(struct buffer *out, const char *text, size_t n)
{
	size_t at, len;

	for (at = 0; at < n; at += len ? len : 1) {
		unsigned char byte = (unsigned char)text[at];

		len = utf8_decode(text + at, n - at, NULL);
		if (!len)
			buffer_puts(out, replacement);
		else if (len == 1 && (byte < 0x20 || byte == 0x7f))
			buffer_putc(out, ' ');
		else
			buffer_append(out, text + at, len);
	}
}
