#include "cgi/base/percent.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_decode(struct buffer *out, const char *text, size_t n, bool plus_is_blank)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int high, low;

		if (text[i] != '%') {
			buffer_putc(out, text[i] == '+' && plus_is_blank ? ' ' : text[i]);
			continue;
		}
		high = n - i > 2 ? hex_digit(text[i + 1]) : -1;
		low = n - i > 2 ? hex_digit(text[i + 2]) : -1;
		if (high < 0 || low < 0)
			return -1;
		buffer_putc(out, (char)(high << 4 | low));
		i += 2;
	}
	return out->failed ? -1 : 0;
}
