/*
 * A counter file, added to the counters of a small program: all of it, and as a simple second
 * reading here has it, or nothing.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cgi/base/io.h"
#include "cgi/sum/merge.h"

enum {
	PACKAGES = 3,
	FUNCTIONS = 4,
	MAX_UNITS = 12,
	COUNTERS = PACKAGES * FUNCTIONS * MAX_UNITS + COUNTERS_SLACK
};

/* A program without names: function f of package p has p + 3 * f units. */
static struct covfunction functions[PACKAGES][FUNCTIONS];
static struct covpackage packages[PACKAGES];
static struct covpackage *package_list[PACKAGES];
static size_t first_counter[PACKAGES];

static void make_program(void)
{
	uint32_t p, f, at = 0;

	for (p = 0; p < PACKAGES; p++) {
		first_counter[p] = at;
		package_list[p] = &packages[p];
		packages[p].functions = functions[p];
		packages[p].claimed_functions = packages[p].n_functions = FUNCTIONS;
		packages[p].n_units = 0;
		for (f = 0; f < FUNCTIONS; f++) {
			functions[p][f].first_unit = packages[p].n_units;
			functions[p][f].n_units = p + 3 * f;
			packages[p].n_units += p + 3 * f;
		}
		at += packages[p].n_units;
	}
}

/* --- the second reading: one value at a time, no bounds but the end -------------------------- */

struct cursor {
	const uint8_t *at, *end;
	int flavor, big_endian;
};

static uint32_t value(struct cursor *c)
{
	uint64_t result = 0;
	unsigned shift;

	if (c->flavor == COUNTER_RAW) {
		fuzz_expect(c->end - c->at >= 4);
		c->at += 4;
		return c->big_endian ? (uint32_t)c->at[-4] << 24 | (uint32_t)c->at[-3] << 16 |
					   (uint32_t)c->at[-2] << 8 | c->at[-1]
				     : le32(c->at - 4);
	}
	for (shift = 0;; shift += 7) {
		fuzz_expect(c->at < c->end);
		if (shift < 64)
			result |= (uint64_t)(*c->at & 0x7f) << shift;
		if (*c->at++ < 0x80)
			return (uint32_t)result;
	}
}

static void add(uint32_t *counter, uint32_t more)
{
	uint64_t sum = (uint64_t)*counter + more;

	*counter = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* A file that has been taken: what must the counters be? */
static void read_again(const uint8_t *data, size_t size, uint32_t *counters)
{
	size_t at = COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE + le32(data + 40) +
		    le32(data + 44);
	uint32_t entries = le32(data + 32), i;
	struct cursor c;

	if (at % 4 && size < 16384)
		at += 4 - at % 4;
	c = (struct cursor){data + at, data + size, data[COVCOUNTERS_AT_FLAVOR],
			    data[COVCOUNTERS_AT_BIG_ENDIAN]};
	while (entries--) {
		uint32_t n = value(&c), p = value(&c), f = value(&c), units = 0;
		int known = p < PACKAGES && f < FUNCTIONS;

		if (known)
			units = functions[p][f].n_units;
		fuzz_expect(n == 0 || n >= units || p == 0);
		for (i = 0; i < n; i++) {
			uint32_t v = value(&c);

			if (i < units && n >= units)
				add(&counters[first_counter[p] + functions[p][f].first_unit + i],
				    v);
		}
	}
}

static int merge(const uint8_t *data, size_t size, uint32_t *counters, uint8_t *marks)
{
	struct covmeta meta = {.n_packages = PACKAGES, .packages = package_list};
	struct merge_target target = {&meta, first_counter};
	struct merge_sink sink = {counters, marks};
	cleanup_merge_work struct merge_work work = MERGE_WORK_INIT;
	struct merge_notes notes;
	struct error err = {0};
	int rc = merge_counter_file(&target, data, size, &sink, &work, &notes, &err);

	fuzz_expect(rc == 0 || (err.class == ERROR_INTERNAL && err.message[0]));
	return rc;
}

static void try_sums(const uint8_t *data, size_t size)
{
	uint32_t counters[COUNTERS], expected[COUNTERS];
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		counters[i] = expected[i] = UINT32_MAX - 3 * (uint32_t)i;
	if (merge(data, size, counters, NULL) == 0)
		read_again(data, size, expected);
	fuzz_expect(memcmp(counters, expected, sizeof counters) == 0);
}

static void try_marks(const uint8_t *data, size_t size)
{
	uint8_t marks[COUNTERS] = {0};
	uint32_t expected[COUNTERS] = {0};
	size_t i;

	if (merge(data, size, NULL, marks) == 0)
		read_again(data, size, expected);
	for (i = 0; i < COUNTERS; i++)
		fuzz_expect((marks[i] != 0) == (expected[i] != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* behind the last byte lies nothing that may be read */
	cleanup_free uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	make_program();
	try_sums(copy, size);
	try_marks(copy, size);
	return 0;
}

/* --- mutations that keep the frame of the file ----------------------------------------------- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* Nearly all that random changes do is break the frame, and nothing behind it would be reached. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	static const uint8_t footer[COVCOUNTERS_FOOTER_SIZE] = {0, 'c', 'w', 'm', 0, 0, 0, 0, 1};
	const size_t frame =
	    COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE + sizeof footer;

	size = LLVMFuzzerMutate(data, size, max);
	if (seed % 16 == 0 || size < frame)
		return size;
	memcpy(data, COVCOUNTERS_MAGIC "\1\0\0\0", 8);
	data[COVCOUNTERS_AT_FLAVOR] = seed % 5 ? COUNTER_ULEB : COUNTER_RAW;
	memset(data + 36, 0, 4); /* entries and both lengths stay small */
	data[41] &= 1;
	data[45] &= 1;
	memset(data + 42, 0, 2);
	memset(data + 46, 0, 2);
	data[34] = data[35] = 0;
	memcpy(data + size - sizeof footer, footer, sizeof footer);
	return size;
}
