#include "cgi/format/counters_args.h"

#include <string.h>

#include "cgi/base/io.h"
#include "cgi/format/byte_reader.h"
#include "cgi/format/coverage_format.h"
#include "cgi/format/string_table.h"

enum {
	HEAD_SIZE = COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE,
	/* the headers, and the strings of all but unusually long command lines */
	FIRST_READ = 4096,
};

/* Fill bytes with the first n bytes of the file; fewer where it is shorter or can't be read. */
static int read_start(int fd, size_t n, struct buffer *bytes, struct error *err)
{
	char *room;
	ssize_t got;

	buffer_reset(bytes);
	room = buffer_reserve(bytes, n);
	if (!room)
		return error_no_memory(err);
	got = io_pread_full(fd, room, n, 0);
	bytes->len = got > 0 ? (size_t)got : 0;
	return 0;
}

/* The number of bytes up to the end of the arguments; 0 where that is nothing to go by. */
static size_t measure(const struct buffer *bytes, uint64_t size)
{
	const char *segment = bytes->data + COVCOUNTERS_HEADER_SIZE;
	uint64_t all;

	if (bytes->len < HEAD_SIZE || memcmp(bytes->data, COVCOUNTERS_MAGIC, 4) != 0)
		return 0;
	all = HEAD_SIZE + (uint64_t)le32(segment + 8) + le32(segment + 12);
	return all <= size && all <= COUNTERS_ARGS_MAX ? (size_t)all : 0;
}

static bool next_string(struct byte_reader *table, struct string_ref *string)
{
	uint64_t len = byte_reader_uleb(table);
	const uint8_t *text = byte_reader_take(table, len);

	if (!text)
		return false;
	*string = (struct string_ref){(const char *)text, (uint32_t)len};
	return true;
}

static bool find_string(struct byte_reader table, const char *text, uint64_t *index)
{
	uint64_t n = byte_reader_uleb(&table);
	struct string_ref string;
	size_t len = strlen(text);

	for (*index = 0; *index < n && next_string(&table, &string); ++*index)
		if (string.len == len && memcmp(string.text, text, len) == 0)
			return true;
	return false;
}

static bool string_at(struct byte_reader table, uint64_t index, struct string_ref *string)
{
	uint64_t n = byte_reader_uleb(&table), i;

	if (index >= n)
		return false;
	for (i = 0; i <= index; i++)
		if (!next_string(&table, string))
			return false;
	return true;
}

/* The value of the first pair with this key. */
static bool find_value(struct byte_reader args, uint64_t key, uint64_t *value)
{
	uint64_t n = byte_reader_uleb(&args);

	while (n-- && !args.failed) {
		uint64_t this_key = byte_reader_uleb(&args);

		*value = byte_reader_uleb(&args);
		if (this_key == key && !args.failed)
			return true;
	}
	return false;
}

static void take_argv0(const struct buffer *bytes, struct buffer *argv0)
{
	const char *segment = bytes->data + COVCOUNTERS_HEADER_SIZE;
	uint32_t strings_len = le32(segment + 8), args_len = le32(segment + 12);
	struct byte_reader strings = byte_reader_on(bytes->data + HEAD_SIZE, strings_len);
	struct byte_reader args = byte_reader_on(bytes->data + HEAD_SIZE + strings_len, args_len);
	struct string_ref string;
	uint64_t key, value;

	if (find_string(strings, "argv0", &key) && find_value(args, key, &value) &&
	    string_at(strings, value, &string))
		buffer_append(argv0, string.text, string.len);
}

int counters_argv0(int fd, uint64_t size, struct buffer *scratch, struct buffer *argv0,
		   struct error *err)
{
	size_t all;

	if (read_start(fd, FIRST_READ, scratch, err) < 0)
		return -1;
	all = measure(scratch, size);
	if (all > FIRST_READ && read_start(fd, all, scratch, err) < 0)
		return -1;
	/* measured again: the file may have been replaced in between */
	if (all && measure(scratch, size) == all && scratch->len >= all)
		take_argv0(scratch, argv0);
	return argv0->failed ? error_no_memory(err) : 0;
}
