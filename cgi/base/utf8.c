#include "cgi/base/utf8.h"

#include <string.h>

static bool is_continuation(unsigned char b)
{
	return (b & 0xc0) == 0x80;
}

size_t utf8_decode(const char *s, size_t n, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *b = (const unsigned char *)s;
	uint32_t value;
	size_t len, i;

	if (b[0] < 0x80) {
		if (c)
			*c = b[0];
		return 1;
	}
	len = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
	if (b[0] < 0xc2 || b[0] > 0xf4 || len > n)
		return 0;
	value = b[0] & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if (!is_continuation(b[i]))
			return 0;
		value = value << 6 | (b[i] & 0x3fU);
	}
	if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	if (c)
		*c = value;
	return len;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool utf8_valid(const char *s, size_t n)
{
	size_t at = 0, len;

	while (at < n) {
		len = utf8_decode(s + at, n - at, NULL);
		if (!len)
			return false;
		at += len;
	}
	return true;
}

size_t utf8_replace_invalid(const char *s, size_t n, char *out)
{
	size_t at = 0, used = 0, len;

	while (at < n) {
		len = utf8_decode(s + at, n - at, NULL);
		if (len) {
			memcpy(out + used, s + at, len);
			used += len;
			at += len;
		} else {
			used += utf8_encode(0xfffd, out + used);
			at++;
		}
	}
	return used;
}
