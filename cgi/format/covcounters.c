#include "cgi/format/covcounters.h"

#include <endian.h>
#include <string.h>

#include "cgi/format/covcounters_args.h"
#include "cgi/format/covmeta.h"
#include "cgi/format/string_table.h"

enum {
	/*
	 * covdata maps files from this size up, and skips padding that is not counted in the length
	 * of the args only in those that it does not map.  Go always counts it.
	 */
	MAPPED_SIZE = 16384,
};

#define EIGHT_HIGH_BITS 0x8080808080808080u

static int check_header(struct covcounters *c, const uint8_t *bytes, size_t len, bool *newer,
			struct error *err)
{
	uint32_t version;

	if (len < COVCOUNTERS_HEADER_SIZE)
		return error_set(err, ERROR_INTERNAL, "ends too early");
	if (memcmp(bytes, COVCOUNTERS_MAGIC, 4) != 0)
		return error_set(err, ERROR_INTERNAL, "is not a counter file of Go");
	version = le32(bytes + COVCOUNTERS_AT_VERSION);
	*newer = coverage_version_is_newer(version);
	if (version > COVERAGE_VERSION)
		return error_set(err, ERROR_INTERNAL, "has format version %u, newer than %d",
				 version, COVERAGE_VERSION);
	c->flavor = bytes[COVCOUNTERS_AT_FLAVOR];
	c->big_endian = bytes[COVCOUNTERS_AT_BIG_ENDIAN] != 0;
	return 0;
}

static int check_footer(const uint8_t *bytes, size_t len, struct error *err)
{
	const uint8_t *footer = bytes + len - COVCOUNTERS_FOOTER_SIZE;

	if (memcmp(footer, COVCOUNTERS_MAGIC, 4) != 0)
		return error_set(err, ERROR_INTERNAL, "ends too early (its footer is missing)");
	if (le32(footer + 8) == 0)
		return error_set(err, ERROR_INTERNAL, "says that it holds no segment");
	return 0;
}

/* The segment header, the string table and the args: c->entries then stands at the first entry. */
static int open_segment(struct covcounters *c, const uint8_t *bytes, size_t len, struct error *err)
{
	struct byte_reader r = byte_reader_on(bytes, len);
	uint32_t strings_len, args_len;
	const uint8_t *strings, *args;
	size_t beyond;

	byte_reader_take(&r, COVCOUNTERS_HEADER_SIZE);
	c->n_left = (uint32_t)byte_reader_u64(&r);
	strings_len = byte_reader_u32(&r);
	args_len = byte_reader_u32(&r);
	strings = byte_reader_take(&r, strings_len);
	args = byte_reader_take(&r, args_len);
	if (r.failed)
		return error_set(err, ERROR_INTERNAL, "ends too early");
	if (covcounters_check_args(byte_reader_on(strings, strings_len),
				   byte_reader_on(args, args_len), err) < 0)
		return -1;
	beyond = (size_t)(r.at - bytes) % 4;
	if (beyond && len < MAPPED_SIZE)
		byte_reader_take(&r, 4 - beyond);
	c->entries = byte_reader_on(r.at, byte_reader_left(&r));
	return 0;
}

int covcounters_open(struct covcounters *c, const uint8_t *bytes, size_t len, bool *newer,
		     struct error *err)
{
	*newer = false;
	if (check_header(c, bytes, len, newer, err) < 0 || check_footer(bytes, len, err) < 0 ||
	    open_segment(c, bytes, len, err) < 0)
		return -1;
	if (c->n_left && c->flavor != COUNTER_ULEB && c->flavor != COUNTER_RAW)
		return error_set(err, ERROR_INTERNAL, "has counters in an unknown encoding (%u)",
				 c->flavor);
	return 0;
}

static uint32_t raw_value(const uint8_t *p, bool big_endian)
{
	uint32_t value = le32(p);

	return big_endian ? __builtin_bswap32(value) : value;
}

static uint32_t next_raw(struct covcounters *c)
{
	const uint8_t *p = byte_reader_take(&c->entries, 4);

	return p ? raw_value(p, c->big_endian) : 0;
}

/*
 * The next n values (8 where there are more), one a byte, if they lie so: none is larger than 127,
 * and eight bytes can be read.  What is behind n is 0.
 */
static inline bool are_small(const struct byte_reader *r, uint32_t n, uint64_t *values)
{
	if (byte_reader_left(r) < 8)
		return false;
	memcpy(values, r->at, sizeof *values);
	*values = le64toh(*values);
	if (n < 8)
		*values &= ((uint64_t)1 << 8 * n) - 1;
	return (*values & EIGHT_HIGH_BITS) == 0;
}

/* Move behind n uleb values: each has one byte without the high bit, its last. */
static inline void skip_ulebs(struct byte_reader *r, uint32_t n)
{
	const uint8_t *p;
	uint64_t values;

	while (n && are_small(r, n, &values)) {
		r->at += n < 8 ? n : 8;
		n -= n < 8 ? n : 8;
	}
	for (p = r->at; n && p < r->end; p++)
		n -= *p < 0x80;
	r->at = p;
	r->failed |= n != 0;
}

int covcounters_next(struct covcounters *c, struct covcounters_entry *entry, struct error *err)
{
	struct byte_reader *r = &c->entries;

	if (!c->n_left)
		return 0;
	c->n_left--;
	if (c->flavor == COUNTER_ULEB) {
		entry->n = (uint32_t)byte_reader_uleb(r);
		entry->package = (uint32_t)byte_reader_uleb(r);
		entry->function = (uint32_t)byte_reader_uleb(r);
		entry->values = r->at;
		skip_ulebs(r, entry->n);
	} else {
		entry->n = next_raw(c);
		entry->package = next_raw(c);
		entry->function = next_raw(c);
		entry->values = r->at;
		byte_reader_take(r, 4 * (uint64_t)entry->n);
	}
	if (r->failed)
		return error_set(err, ERROR_INTERNAL, "ends too early (counters are missing)");
	return 1;
}

static inline void add_one(uint32_t *counter, uint32_t value)
{
	uint32_t sum = *counter + value;

	*counter = sum < value ? UINT32_MAX : sum;
}

/* Add eight values, each a byte of the word, the lowest first. */
static inline void add_eight(uint64_t values, uint32_t *counters)
{
	uint8_t bytes[8];
	int i;

	values = htole64(values);
	memcpy(bytes, &values, sizeof bytes);
	for (i = 0; i < 8; i++)
		add_one(&counters[i], bytes[i]);
}

void covcounters_add(const struct covcounters *c, const uint8_t *values, uint32_t n,
		     uint32_t *counters)
{
	struct byte_reader r = {values, c->entries.end, false};
	uint64_t eight;

	if (c->flavor == COUNTER_RAW) {
		for (; n; n--, values += 4)
			add_one(counters++, raw_value(values, c->big_endian));
		return;
	}
	while (n) {
		uint32_t step = n < 8 ? n : 8;

		if (are_small(&r, n, &eight)) {
			add_eight(eight, counters);
			r.at += step;
		} else {
			step = 1;
			add_one(counters, (uint32_t)byte_reader_uleb(&r));
		}
		counters += step;
		n -= step;
	}
}

static inline void mark_eight(uint64_t values, uint8_t *marks)
{
	uint64_t before;

	memcpy(&before, marks, sizeof before);
	before |= htole64(values);
	memcpy(marks, &before, sizeof before);
}

void covcounters_mark(const struct covcounters *c, const uint8_t *values, uint32_t n,
		      uint8_t *marks)
{
	struct byte_reader r = {values, c->entries.end, false};
	uint64_t eight;

	if (c->flavor == COUNTER_RAW) {
		for (; n; n--, values += 4)
			*marks++ |= raw_value(values, c->big_endian) != 0;
		return;
	}
	while (n) {
		uint32_t step = n < 8 ? n : 8;

		if (are_small(&r, n, &eight)) {
			mark_eight(eight, marks);
			r.at += step;
		} else {
			step = 1;
			*marks |= (uint32_t)byte_reader_uleb(&r) != 0;
		}
		marks += step;
		n -= step;
	}
}
