#include "cgi/base/called_name.h"

#include <stdbool.h>
#include <string.h>

static bool ends_name(char c)
{
	return (unsigned char)c <= ' ' || c == ':' || c == 0x7f;
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       strchr("._+@-/", c);
}

static const char *last_element(const char *path, size_t n, size_t *len)
{
	const char *slash = memrchr(path, '/', n);
	const char *element = slash ? slash + 1 : path;

	*len = (size_t)(path + n - element);
	return element;
}

const char *called_name(const char *argv0, size_t n, size_t *len)
{
	size_t title = 0;
	const char *more;

	n = strnlen(argv0, n);
	while (title < n && argv0[title] != '/' && !ends_name(argv0[title]))
		title++;
	if (title == n || argv0[title] != '/') {
		*len = title;
		return argv0;
	}
	more = memmem(argv0, n, " -", 2);
	return last_element(argv0, more ? (size_t)(more - argv0) : n, len);
}

const char *called_name_unproved(const char *argv0, size_t n, size_t *len)
{
	size_t plain = 0;

	while (plain < n && argv0[plain] && is_plain(argv0[plain]))
		plain++;
	return last_element(argv0, plain, len);
}
