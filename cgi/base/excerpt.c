#include "cgi/base/excerpt.h"

#include <string.h>

#include "cgi/base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

/* The character at text as it is shown: its length there (*taken) and in the excerpt. */
static size_t shown(const char *text, size_t n, size_t *taken, const char **as)
{
	size_t len = *text ? utf8_decode(text, n, NULL) : 0;

	*taken = len ? len : 1;
	*as = len ? text : REPLACEMENT;
	return len ? len : strlen(REPLACEMENT);
}

const char *excerpt(char *out, size_t size, const char *text, size_t n)
{
	const size_t room = size - 1;
	size_t at = 0, used = 0, cut = 0, taken, len;
	const char *as;

	while (at < n) {
		len = shown(text + at, n - at, &taken, &as);
		if (used + len > room) {
			memcpy(out + cut, ELLIPSIS, strlen(ELLIPSIS));
			used = cut + strlen(ELLIPSIS);
			break;
		}
		memcpy(out + used, as, len);
		used += len;
		at += taken;
		if (used + strlen(ELLIPSIS) <= room)
			cut = used;
	}
	out[used] = '\0';
	return out;
}
