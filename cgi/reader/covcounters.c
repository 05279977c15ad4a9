#include "cgi/reader/covcounters.h"

#include <string.h>

#include "cgi/reader/covcounters_args.h"
#include "cgi/reader/covmeta.h"
#include "cgi/reader/string_table.h"

enum {
	/*
	 * covdata maps files from this size up, and skips padding that is not counted in the length of the
	 * args only in those that it does not map.  Go always counts it.
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

static uint32_t next_value(struct covcounters *c)
{
	const uint8_t *p;

	if (c->flavor == COUNTER_ULEB)
		return (uint32_t)byte_reader_uleb(&c->entries);
	p = byte_reader_take(&c->entries, 4);
	return p ? raw_value(p, c->big_endian) : 0;
}

/* Eight bytes, of which none continues: eight values in one step. */
static inline bool are_eight_small(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return (word & EIGHT_HIGH_BITS) == 0;
}

/* Move behind n uleb values: each has one byte without the high bit, its last. */
static void skip_ulebs(struct byte_reader *r, uint32_t n)
{
	const uint8_t *p = r->at;

	while (n >= 8 && r->end - p >= 8 && are_eight_small(p)) {
		p += 8;
		n -= 8;
	}
	for (; n && p < r->end; p++)
		n -= *p < 0x80;
	r->at = p;
	r->failed |= n != 0;
}

int covcounters_next(struct covcounters *c, struct covcounters_entry *entry, struct error *err)
{
	if (!c->n_left)
		return 0;
	c->n_left--;
	entry->n = next_value(c);
	entry->package = next_value(c);
	entry->function = next_value(c);
	entry->values = c->entries.at;
	if (c->flavor == COUNTER_ULEB)
		skip_ulebs(&c->entries, entry->n);
	else
		byte_reader_take(&c->entries, 4 * (uint64_t)entry->n);
	if (c->entries.failed)
		return error_set(err, ERROR_INTERNAL, "ends too early (counters are missing)");
	return 1;
}

static inline uint32_t sum_or_most(uint32_t a, uint32_t b)
{
	uint32_t sum = a + b;

	return sum < a ? UINT32_MAX : sum;
}

static inline uint32_t joined(uint32_t counter, uint32_t value, bool once)
{
	if (once)
		return value ? 1 : counter;
	return sum_or_most(counter, value);
}

static void add_raw(const uint8_t *values, uint32_t n, bool big_endian, bool once, uint32_t *counters)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		counters[i] = joined(counters[i], raw_value(values + 4 * (size_t)i, big_endian), once);
}

static inline void add_ulebs(struct byte_reader r, uint32_t n, bool once, uint32_t *counters)
{
	uint32_t i = 0, j;

	while (i < n) {
		if (n - i >= 8 && byte_reader_left(&r) >= 8 && are_eight_small(r.at)) {
			for (j = 0; j < 8; j++)
				counters[i + j] = joined(counters[i + j], r.at[j], once);
			r.at += 8;
			i += 8;
			continue;
		}
		counters[i] = joined(counters[i], (uint32_t)byte_reader_uleb(&r), once);
		i++;
	}
}

void covcounters_add(const struct covcounters *c, const struct covcounters_entry *entry, uint32_t n,
		     bool once, uint32_t *counters)
{
	struct byte_reader r = { entry->values, c->entries.end, false };

	if (c->flavor == COUNTER_RAW)
		add_raw(entry->values, n, c->big_endian, once, counters);
	else if (once)
		add_ulebs(r, n, true, counters);
	else
		add_ulebs(r, n, false, counters);
}
