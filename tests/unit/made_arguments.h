/* Counter files with the arguments of the program in them, as Go writes them. */
#ifndef GOVERAGE_TESTS_UNIT_MADE_ARGUMENTS_H
#define GOVERAGE_TESTS_UNIT_MADE_ARGUMENTS_H

#include "made_coverage.h"

/* A uleb of two bytes, for lengths beyond 127. */
static inline void put_uleb2(struct buffer *b, size_t value)
{
	buffer_putc(b, (char)(0x80 | (value & 0x7f)));
	buffer_putc(b, (char)(0x80 | (value >> 7 & 0x7f)));
	buffer_putc(b, (char)(value >> 14));
}

static inline void put_long_string(struct buffer *b, const char *s, size_t n)
{
	put_uleb2(b, n);
	buffer_append(b, s, n);
}

/* A counter file with this string table and these arguments (padded as Go does), and one entry. */
static inline void make_counters_of(struct buffer *b, const struct buffer *strings,
				    const struct buffer *args)
{
	size_t padding = (4 - (strings->len + args->len) % 4) % 4;

	buffer_append(b, COVCOUNTERS_MAGIC, 4);
	put_le(b, COVERAGE_VERSION, 4);
	buffer_append(b, "0123456789abcdef", 16);
	buffer_putc(b, COUNTER_ULEB);
	put_le(b, 0, 7);
	put_le(b, 1, 8);
	put_le(b, strings->len, 4);
	put_le(b, args->len + padding, 4);
	buffer_append(b, strings->data, strings->len);
	buffer_append(b, args->data, args->len);
	put_le(b, 0, (int)padding);
	buffer_append(b, "\1\0\0\1", 4);
	buffer_append(b, COVCOUNTERS_MAGIC, 4);
	put_le(b, 0, 4);
	put_le(b, 1, 4);
	put_le(b, 0, 4);
}

/* As Go writes it for a program that was called by argv[0] and one more argument. */
static inline void make_counters_by(struct buffer *b, const char *argv0, size_t n)
{
	cleanup_buffer struct buffer strings = BUFFER_INIT, args = BUFFER_INIT;

	buffer_putc(&strings, 7);
	put_string(&strings, "");
	put_string(&strings, "argc");
	put_string(&strings, "2");
	put_string(&strings, "argv1");
	put_string(&strings, "till");
	put_long_string(&strings, argv0, n);
	put_string(&strings, "argv0");
	buffer_append(&args, "\3\1\2\6\5\3\4", 7);
	make_counters_of(b, &strings, &args);
}

#endif
