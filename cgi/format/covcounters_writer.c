#include "cgi/format/covcounters_writer.h"

#include <stdio.h>
#include <string.h>

#include "cgi/format/uleb.h"

enum { KEY_MAX = 32 };

void counter_entries_add(struct counter_entries *entries, uint32_t package, uint32_t function,
			 const uint32_t *counters, uint32_t n)
{
	char *room = buffer_reserve(&entries->bytes, ULEB_COUNTER_MAX * (3 + (size_t)n));
	unsigned char *at = (unsigned char *)room;

	if (!room)
		return;
	at += uleb_put(at, n);
	at += uleb_put(at, package);
	at += uleb_put(at, function);
	at = uleb_put_counters(at, counters, n);
	entries->bytes.len += (size_t)(at - (unsigned char *)room);
	entries->n++;
}

void counter_entries_free(struct counter_entries *entries)
{
	buffer_free(&entries->bytes);
	entries->n = 0;
}

static void put_uleb(struct buffer *out, uint64_t value)
{
	unsigned char bytes[ULEB_MAX];

	buffer_append(out, bytes, uleb_put(bytes, value));
}

static void put_fixed(struct buffer *out, uint64_t value, unsigned bytes)
{
	while (bytes--) {
		buffer_putc(out, (char)(value & 0xff));
		value >>= 8;
	}
}

static void put_string(struct buffer *out, const char *text, size_t len)
{
	put_uleb(out, len);
	buffer_append(out, text, len);
}

/* The key of argument i. */
static void argument_key(char key[KEY_MAX], size_t i)
{
	snprintf(key, KEY_MAX, "argv%zu", i);
}

/*
 * Strings 0 "", 1 GOARCH, 2 its value, 3 GOOS, 4 its value, 5 argc, 6 its value, then a key and a
 * value for each argument.
 */
static void put_strings(struct buffer *out, const struct string_list *argv, const char *goarch)
{
	char text[KEY_MAX];
	size_t i;

	put_uleb(out, 7 + 2 * (uint64_t)argv->n);
	put_string(out, "", 0);
	put_string(out, "GOARCH", 6);
	put_string(out, goarch, strlen(goarch));
	put_string(out, "GOOS", 4);
	put_string(out, "linux", 5);
	put_string(out, "argc", 4);
	snprintf(text, sizeof text, "%zu", argv->n);
	put_string(out, text, strlen(text));
	for (i = 0; i < argv->n; i++) {
		argument_key(text, i);
		put_string(out, text, strlen(text));
		put_string(out, argv->items[i].text, argv->items[i].len);
	}
}

static int by_key(const void *a, const void *b)
{
	char x[KEY_MAX], y[KEY_MAX];

	argument_key(x, *(const size_t *)a);
	argument_key(y, *(const size_t *)b);
	return strcmp(x, y);
}

/* Pairs of string indexes, sorted by key: capitals first, "argc" before "argv0". */
static void put_args(struct buffer *out, const struct string_list *argv)
{
	cleanup_free size_t *order = calloc(argv->n + 1, sizeof *order);
	size_t i;

	if (!order) {
		out->failed = true;
		return;
	}
	for (i = 0; i < argv->n; i++)
		order[i] = i;
	qsort(order, argv->n, sizeof *order, by_key);
	put_uleb(out, 3 + (uint64_t)argv->n);
	for (i = 0; i < 3; i++) {
		put_uleb(out, 2 * i + 1);
		put_uleb(out, 2 * i + 2);
	}
	for (i = 0; i < argv->n; i++) {
		put_uleb(out, 7 + 2 * (uint64_t)order[i]);
		put_uleb(out, 8 + 2 * (uint64_t)order[i]);
	}
}

/* The padding behind the arguments counts as a part of them: readers differ in what they skip. */
static void put_segment(struct buffer *out, const struct string_list *argv, const char *goarch,
			const struct counter_entries *entries)
{
	cleanup_buffer struct buffer strings = BUFFER_INIT, args = BUFFER_INIT;

	put_strings(&strings, argv, goarch);
	put_args(&args, argv);
	while ((strings.len + args.len) % 4 && !args.failed)
		buffer_putc(&args, 0);
	put_fixed(out, entries->n, 8);
	put_fixed(out, strings.len, 4);
	put_fixed(out, args.len, 4);
	buffer_append(out, strings.data, strings.len);
	buffer_append(out, args.data, args.len);
	buffer_append(out, entries->bytes.data, entries->bytes.len);
	if (strings.failed || args.failed || entries->bytes.failed)
		out->failed = true;
}

void covcounters_write(struct buffer *out, const unsigned char hash[COVERAGE_HASH_SIZE],
		       const struct string_list *argv, const char *goarch,
		       const struct counter_entries *entries)
{
	buffer_append(out, COVCOUNTERS_MAGIC, 4);
	put_fixed(out, COVERAGE_VERSION, 4);
	buffer_append(out, hash, COVERAGE_HASH_SIZE);
	put_fixed(out, COUNTER_ULEB, 8); /* flavor, little-endian, six bytes of padding */
	put_segment(out, argv, goarch, entries);
	buffer_append(out, COVCOUNTERS_MAGIC, 4);
	put_fixed(out, 0, 4);
	put_fixed(out, 1, 4);
	put_fixed(out, 0, 4);
}
