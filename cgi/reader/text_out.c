#include "cgi/reader/text_out.h"

#include <errno.h>

#include "cgi/base/io.h"

/* "00", "01" ... "99" */
#define TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
static const char PAIRS[] =
    TEN("0") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5") TEN("6") TEN("7") TEN("8") TEN("9");

int text_out_open(struct text_out *out, int fd, size_t longest, struct error *err)
{
	*out = (struct text_out){.fd = fd};
	out->cap = TEXT_OUT_ROOM + longest;
	out->buf = malloc(out->cap);
	return out->buf ? 0 : error_no_memory(err);
}

void text_out_flush(struct text_out *out)
{
	if (!out->errnum && io_write_full(out->fd, out->buf, out->used) < 0)
		out->errnum = errno;
	out->written += out->used;
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

int text_out_finish(struct text_out *out, struct error *err)
{
	text_out_flush(out);
	if (out->errnum)
		return error_errno(err, ERROR_INTERNAL, out->errnum, "can't keep the profile");
	return 0;
}

void text_out_close(struct text_out *out)
{
	free(out->buf);
	out->buf = NULL;
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
