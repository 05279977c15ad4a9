#include "cgi/text/text_out.h"

/* "00", "01" ... "99" */
#define TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
static const char PAIRS[] =
    TEN("0") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5") TEN("6") TEN("7") TEN("8") TEN("9");

void text_out_flush(struct text_out *out)
{
	if (!out->sink)
		return;
	if (!out->failed && out->used && out->sink(out->to, out->buf, out->used) < 0)
		out->failed = true;
	out->used = 0;
}

void text_out_bytes(struct text_out *out, const char *bytes, size_t n)
{
	while (n) {
		size_t room = out->cap - out->used, piece = n < room ? n : room;

		memcpy(out->buf + out->used, bytes, piece);
		out->used += piece;
		bytes += piece;
		n -= piece;
		if (out->used == out->cap)
			text_out_flush(out);
	}
}

int text_out_finish(struct text_out *out)
{
	text_out_flush(out);
	return out->failed ? -1 : 0;
}

char *text_put_long_decimal(char *at, uint32_t value)
{
	char digits[DECIMAL_MAX];
	size_t from = sizeof digits;

	while (value >= 100) {
		from -= 2;
		memcpy(digits + from, PAIRS + 2 * (size_t)(value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		from -= 2;
		memcpy(digits + from, PAIRS + 2 * (size_t)value, 2);
	} else {
		digits[--from] = (char)('0' + value);
	}
	return text_put_bytes(at, digits + from, sizeof digits - from);
}
