/*
 * What this program makes of patterns, for patterns.go, which knows what Go makes of them.
 *
 * Each line of the input is a pattern and the texts to search, in hexadecimal, separated by tabs.
 * Each line of the output is `E`, a blank and the message in hexadecimal, where the pattern is
 * refused; otherwise `V`, a blank and one letter for each text: 1 found, 0 not found, L a limit was
 * hit.
 */
#include <stdio.h>
#include <string.h>

#include "cgi/pattern/go_pattern.h"
#include "cgi/pattern/path_filter.h"

enum { MAX_TEXTS = 4096 };

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Decode n hexadecimal digits in place; the number of bytes, or -1. */
static long decode_hex(char *text, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return -1;
		text[i / 2] = (char)(high * 16 + low);
	}
	return n % 2 ? -1 : (long)(n / 2);
}

/* Split a line into the pattern (fields[0]) and its texts; their number, or -1. */
static int split(char *line, struct path_ref *fields)
{
	char *field, *rest = line;
	int n = 0;
	long len;

	line[strcspn(line, "\n")] = '\0';
	while ((field = strsep(&rest, "\t"))) {
		len = decode_hex(field, strlen(field));
		if (len < 0 || n > MAX_TEXTS)
			return -1;
		fields[n++] = (struct path_ref){field, (size_t)len};
	}
	return n;
}

static void print_refusal(const struct error *err)
{
	fputs("E ", stdout);
	for (const char *s = err->message; *s; s++)
		printf("%02x", (unsigned)(unsigned char)*s);
	putchar('\n');
}

/* One text after the other, so that a limit concerns this one only. */
static int print_verdict(const struct string_list *skip, const struct path_ref *text)
{
	const struct string_list cover = STRING_LIST_INIT;
	struct error err = {0};
	cleanup_path_filter struct path_filter *filter = path_filter_new(&cover, skip, &err);
	bool keep;

	if (!filter) {
		fprintf(stderr, "pattern_verdicts: translated, then refused: %s\n", err.message);
		return -1;
	}
	if (path_filter_apply(filter, text, 1, &keep, &err) == 0)
		putchar(keep ? '0' : '1');
	else if (err.class == ERROR_OVER_BUDGET)
		putchar('L');
	else
		putchar('?');
	return 0;
}

/* All texts at once, which is what the program does; false when some limit was hit. */
static bool print_verdicts(const struct string_list *skip, const struct path_ref *texts, size_t n)
{
	static bool keep[MAX_TEXTS];
	const struct string_list cover = STRING_LIST_INIT;
	struct error err = {0};
	cleanup_path_filter struct path_filter *filter = path_filter_new(&cover, skip, &err);

	if (!filter || path_filter_apply(filter, texts, n, keep, &err) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		putchar(keep[i] ? '0' : '1');
	return true;
}

static int answer(const struct path_ref *pattern, const struct path_ref *texts, size_t n)
{
	cleanup_buffer struct buffer translated = BUFFER_INIT;
	cleanup_string_list struct string_list skip = STRING_LIST_INIT;
	struct error err = {0};

	if (go_pattern_translate(pattern->text, pattern->len, &translated, &err) < 0) {
		print_refusal(&err);
		return 0;
	}
	if (string_list_add(&skip, pattern->text, pattern->len) < 0)
		return -1;
	fputs("V ", stdout);
	if (!print_verdicts(&skip, texts, n))
		for (size_t i = 0; i < n; i++)
			if (print_verdict(&skip, &texts[i]) < 0)
				return -1;
	putchar('\n');
	return 0;
}

int main(void)
{
	static struct path_ref fields[MAX_TEXTS + 1];
	cleanup_free char *line = NULL;
	struct error err = {0};
	size_t cap = 0;
	int n;

	if (path_filter_start(&err) < 0) {
		fprintf(stderr, "pattern_verdicts: %s\n", err.message);
		return 1;
	}
	while (getline(&line, &cap, stdin) > 0) {
		n = split(line, fields);
		if (n < 0 || answer(&fields[0], &fields[1], (size_t)n - 1) < 0) {
			fprintf(stderr, "pattern_verdicts: bad input or no memory\n");
			return 1;
		}
	}
	return 0;
}
