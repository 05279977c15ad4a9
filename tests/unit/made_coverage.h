/* Coverage files made by hand, byte for byte as Go writes them (cgi/format/coverage_format.h). */
#ifndef GOVERAGE_TESTS_UNIT_MADE_COVERAGE_H
#define GOVERAGE_TESTS_UNIT_MADE_COVERAGE_H

#include <stdio.h>

#include "cgi/base/buffer.h"
#include "cgi/format/coverage_format.h"

#define TAG_A "0123456789abcdef0123456789abcdef"
#define TAG_B "fedcba9876543210fedcba9876543210"

static inline void put_le(struct buffer *b, uint64_t value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		buffer_putc(b, (char)(value & 0xff));
}

/* A string of a string table; shorter than 128 bytes. */
static inline void put_string(struct buffer *b, const char *s)
{
	buffer_putc(b, (char)strlen(s));
	buffer_puts(b, s);
}

/* A package with one function of one block, lines 1 to 2 of its file f.go. */
static inline void make_blob(struct buffer *b, const char *import_path)
{
	cleanup_buffer struct buffer rest = BUFFER_INIT;
	char file[120];

	snprintf(file, sizeof file, "%s/f.go", import_path);
	buffer_putc(&rest, 6);
	put_string(&rest, "");
	put_string(&rest, "name");
	put_string(&rest, import_path);
	put_string(&rest, "module");
	put_string(&rest, "f");
	put_string(&rest, file);
	put_le(b, COVBLOB_HEADER_SIZE + 4 + rest.len + 9, 4);
	put_le(b, 1, 4); /* package name */
	put_le(b, 2, 4); /* import path */
	put_le(b, 3, 4); /* module path */
	buffer_append(b, "0123456789abcdef", 16);
	put_le(b, 0, 4);
	put_le(b, 6, 4);
	put_le(b, 1, 4); /* functions */
	put_le(b, COVBLOB_HEADER_SIZE + 4 + rest.len, 4);
	buffer_append(b, rest.data, rest.len);
	/* one unit, name, file, 1:2 to 2:3, one statement, no literal */
	buffer_append(b, "\1\4\5\1\2\2\3\1\0", 9);
}

/* A meta-data file of these packages, the main one last; NULL at the end of the list. */
static inline void make_meta(struct buffer *b, const char *const *import_paths, uint8_t mode)
{
	cleanup_buffer struct buffer blobs = BUFFER_INIT, lengths = BUFFER_INIT;
	uint64_t n = 0, start, i;

	while (import_paths[n])
		n++;
	start = COVMETA_HEADER_SIZE + n * 16 + 2;
	buffer_append(b, COVMETA_MAGIC, 4);
	put_le(b, COVERAGE_VERSION, 4);
	put_le(b, 0, 8); /* the length, filled in below */
	put_le(b, n, 8);
	buffer_append(b, "0123456789abcdef", 16);
	put_le(b, COVMETA_HEADER_SIZE + n * 16, 4);
	put_le(b, 2, 4);
	buffer_putc(b, (char)mode);
	buffer_putc(b, GRANULARITY_PERBLOCK);
	put_le(b, 0, 6);
	for (i = 0; i < n; i++) {
		size_t before = blobs.len;

		make_blob(&blobs, import_paths[i]);
		put_le(b, start + before, 8);
		put_le(&lengths, blobs.len - before, 8);
	}
	buffer_append(b, lengths.data, lengths.len);
	buffer_append(b, "\1\0", 2);
	buffer_append(b, blobs.data, blobs.len);
	for (i = 0; i < sizeof b->len; i++)
		b->data[COVMETA_AT_LENGTH + i] = (char)(b->len >> 8 * i & 0xff);
}

/* A counter file: function 0 of package 0 ran `count` times (below 128). */
static inline void make_counters(struct buffer *b, unsigned count)
{
	buffer_append(b, COVCOUNTERS_MAGIC, 4);
	put_le(b, COVERAGE_VERSION, 4);
	buffer_append(b, "0123456789abcdef", 16);
	buffer_putc(b, COUNTER_ULEB);
	put_le(b, 0, 7);
	put_le(b, 1, 8); /* entries */
	put_le(b, 2, 4);
	put_le(b, 2, 4);
	buffer_append(b, "\1\0\0\0", 4); /* string table, arguments */
	buffer_append(b, "\1\0\0", 3);	 /* counters, package, function */
	buffer_putc(b, (char)count);
	buffer_append(b, COVCOUNTERS_MAGIC, 4);
	put_le(b, 0, 4);
	put_le(b, 1, 4); /* segments */
	put_le(b, 0, 4);
}

#endif
