#include "cgi/directory/coverage_screen.h"

#include <string.h>

#include "cgi/base/io.h"

enum { TABLE_PIECE = 64 }; /* packages whose table entries are read at once */

static const char *const unreadable = "can't be read";
static const char *const truncated = "is truncated";
static const char *const damaged_tables = "has damaged package tables";

struct extent {
	uint64_t offset;
	uint64_t length;
};

/* Are `length` bytes at `offset` all within `size`? */
static bool is_within(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* NULL, or what went wrong: a file can shrink while it is read. */
static const char *read_at(int fd, void *buf, size_t n, uint64_t offset)
{
	ssize_t got = io_pread_full(fd, buf, n, (off_t)offset);

	return got < 0 ? unreadable : (size_t)got < n ? truncated : NULL;
}

/* Where packages first ... first + n - 1 lie (n <= TABLE_PIECE), of `packages`. */
static const char *read_extents(int fd, uint64_t packages, uint64_t first, size_t n,
				struct extent *extents)
{
	unsigned char offsets[TABLE_PIECE * 8], lengths[TABLE_PIECE * 8];
	uint64_t at = COVMETA_HEADER_SIZE + first * 8;
	const char *fault = read_at(fd, offsets, n * 8, at);
	size_t i;

	if (!fault)
		fault = read_at(fd, lengths, n * 8, at + packages * 8);
	if (fault)
		return fault;
	for (i = 0; i < n; i++)
		extents[i] = (struct extent){le64(offsets + i * 8), le64(lengths + i * 8)};
	return NULL;
}

/* A crashed machine leaves files of the right size with holes in them: covdata panics on these. */
static const char *screen_blob(int fd, const struct extent *extent)
{
	unsigned char head[COVBLOB_HEADER_SIZE];
	const char *fault;

	if (extent->length < COVBLOB_HEADER_SIZE)
		return damaged_tables;
	fault = read_at(fd, head, sizeof head, extent->offset);
	if (fault)
		return fault;
	if (le32(head + COVBLOB_AT_LENGTH) != extent->length ||
	    le32(head + COVBLOB_AT_FUNCTIONS) > (extent->length - COVBLOB_HEADER_SIZE) / 4)
		return "has a damaged package";
	return NULL;
}

static const char *screen_packages(int fd, uint64_t size, uint64_t packages)
{
	struct extent extents[TABLE_PIECE];
	uint64_t first;
	size_t n, i;

	for (first = 0; first < packages; first += n) {
		const char *fault;

		n = packages - first < TABLE_PIECE ? (size_t)(packages - first) : TABLE_PIECE;
		fault = read_extents(fd, packages, first, n, extents);
		for (i = 0; !fault && i < n; i++)
			fault = is_within(extents[i].offset, extents[i].length, size)
				    ? screen_blob(fd, &extents[i])
				    : damaged_tables;
		if (fault)
			return fault;
	}
	return NULL;
}

/* The header of a meta-data file, of a version that is known. */
static const char *screen_meta_header(const unsigned char *head, uint64_t size)
{
	uint64_t packages = le64(head + COVMETA_AT_PACKAGES), tables;
	uint32_t strings = le32(head + COVMETA_AT_STRINGS_LENGTH);

	if (size < le64(head + COVMETA_AT_LENGTH))
		return truncated;
	if (packages > COVERAGE_MAX_PACKAGES)
		return damaged_tables;
	tables = COVMETA_HEADER_SIZE + packages * 16;
	if (!is_within(tables, strings, size))
		return damaged_tables;
	if (head[COVMETA_AT_MODE] < COUNTER_MODE_SET || head[COVMETA_AT_MODE] > COUNTER_MODE_ATOMIC)
		return "has no counter mode";
	return NULL;
}

const char *coverage_screen_meta(int fd, uint64_t size, uint8_t *mode, uint8_t *granularity)
{
	unsigned char head[COVMETA_HEADER_SIZE];
	const char *fault;

	*mode = *granularity = 0;
	if (size == 0)
		return "is empty";
	if (size < sizeof head)
		return truncated;
	fault = read_at(fd, head, sizeof head, 0);
	if (fault)
		return fault;
	if (memcmp(head, COVMETA_MAGIC, 4) != 0)
		return "is no meta-data file";
	if (le32(head + COVMETA_AT_VERSION) > COVERAGE_VERSION)
		return NULL;
	fault = screen_meta_header(head, size);
	if (!fault)
		fault = screen_packages(fd, size, le64(head + COVMETA_AT_PACKAGES));
	if (fault)
		return fault;
	*mode = head[COVMETA_AT_MODE];
	*granularity = head[COVMETA_AT_GRANULARITY];
	return NULL;
}

/* The tables of the first segment, the only one that covdata reads, lie before the footer. */
static const char *screen_segment(const unsigned char *segment, uint64_t size)
{
	uint64_t strings = le32(segment + 8), args = le32(segment + 12);
	uint64_t at = COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE;

	return is_within(at, strings + args, size - COVCOUNTERS_FOOTER_SIZE)
		   ? NULL
		   : "has damaged string or argument tables";
}

const char *coverage_screen_counters(int fd, uint64_t size)
{
	unsigned char head[COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE];
	unsigned char footer[COVCOUNTERS_FOOTER_SIZE];
	const char *fault;

	if (size == 0)
		return "is empty";
	if (size < sizeof head + sizeof footer)
		return truncated;
	fault = read_at(fd, head, sizeof head, 0);
	if (fault)
		return fault;
	if (memcmp(head, COVCOUNTERS_MAGIC, 4) != 0)
		return "is no counter data file";
	if (le32(head + COVCOUNTERS_AT_VERSION) > COVERAGE_VERSION)
		return NULL;
	fault = read_at(fd, footer, sizeof footer, size - sizeof footer);
	if (fault)
		return fault;
	if (memcmp(footer, COVCOUNTERS_MAGIC, 4) != 0)
		return truncated;
	if (le32(footer + COVCOUNTERS_FOOTER_AT_SEGMENTS) == 0)
		return "has no segment";
	if (head[COVCOUNTERS_AT_FLAVOR] != COUNTER_RAW &&
	    head[COVCOUNTERS_AT_FLAVOR] != COUNTER_ULEB)
		return "has an unknown flavor of counters";
	return screen_segment(head + COVCOUNTERS_HEADER_SIZE, size);
}
