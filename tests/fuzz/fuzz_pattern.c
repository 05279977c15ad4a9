/*
 * Patterns: what comes before the first line feed is one, what comes behind it a path.  Whatever is
 * translated must compile, and two ways to write the same question must have the same answer.
 */
#include "fuzz.h"

#include <string.h>

#include "cgi/base/utf8.h"
#include "cgi/pattern/go_pattern.h"
#include "cgi/pattern/path_filter.h"

enum verdict { NOT_FOUND, FOUND, UNDECIDED };

/* Search a pattern that was translated before; UNDECIDED when it costs too much. */
static enum verdict search(const char *pattern, size_t len, const struct path_ref *path)
{
	const struct string_list cover = STRING_LIST_INIT;
	cleanup_string_list struct string_list skip = STRING_LIST_INIT;
	cleanup_path_filter struct path_filter *filter = NULL;
	struct error err = {0};
	bool keep;

	fuzz_expect(string_list_add(&skip, pattern, len) == 0);
	filter = path_filter_new(&cover, &skip, &err);
	fuzz_expect(filter);
	if (path_filter_apply(filter, path, 1, &keep, &err) < 0) {
		fuzz_expect(err.class == ERROR_OVER_BUDGET);
		fuzz_expect(utf8_valid(err.message, strlen(err.message)));
		return UNDECIDED;
	}
	return keep ? NOT_FOUND : FOUND;
}

/* Can it be translated?  The refusal has to say why. */
static bool translates(const char *pattern, size_t len)
{
	cleanup_buffer struct buffer out = BUFFER_INIT;
	struct error err = {0};

	if (go_pattern_translate(pattern, len, &out, &err) < 0) {
		fuzz_expect(err.class == ERROR_BAD_REQUEST && err.message[0]);
		fuzz_expect(utf8_valid(err.message, strlen(err.message)));
		return false;
	}
	fuzz_expect(utf8_valid(buffer_str(&out), out.len));
	return true;
}

/* The verdict of the pattern between two others has to be the same. */
static void compare(enum verdict expected, const char *before, const char *pattern, size_t len,
		    const char *behind, const struct path_ref *path)
{
	cleanup_buffer struct buffer whole = BUFFER_INIT;
	enum verdict verdict;

	buffer_puts(&whole, before);
	buffer_append(&whole, pattern, len);
	buffer_puts(&whole, behind);
	/* \Q in the pattern may swallow what comes behind it, and the limits may be passed */
	if (whole.len > PATH_FILTER_MAX_PATTERN || !translates(whole.data, whole.len))
		return;
	verdict = search(whole.data, whole.len, path);
	fuzz_expect(verdict == expected || verdict == UNDECIDED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	const char *pattern = (const char *)data;
	const char *end = size ? memchr(data, '\n', size) : NULL;
	const size_t len = end ? (size_t)(end - pattern) : size;
	const struct path_ref path = {end ? end + 1 : "", end ? size - len - 1 : 0};
	enum verdict verdict;

	if (!started)
		fuzz_expect(path_filter_start(NULL) == 0);
	started = true;
	if (len > PATH_FILTER_MAX_PATTERN || !translates(pattern, len) ||
	    memchr(path.text, '\n', path.len))
		return 0;
	verdict = search(pattern, len, &path);
	if (verdict == UNDECIDED)
		return 0;
	compare(verdict, "(?:", pattern, len, ")", &path);
	/* without ends at which anything can be left out */
	compare(verdict, "(?s)\\A.*?(?-s:", pattern, len, ").*\\z", &path);
	return 0;
}
