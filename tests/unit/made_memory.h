/*
 * The memory of a small Go program with two packages, as it lies behind MADE_MEMORY_BASE:
 *
 *   0x0000  module data
 *   0x0400  line table header
 *   0x0500  bss: the head of the list of packages at 0x540
 *   0x0800  counters, 0x200 bytes; the end of the program's data
 *   0x0a00  list of packages
 *   0x0c00  blobs
 *   0x0e00  second module data (a plugin's), linked from the first; its counters are the last 0x100
 * bytes of the area above
 */
#ifndef GOVERAGE_TESTS_UNIT_MADE_MEMORY_H
#define GOVERAGE_TESTS_UNIT_MADE_MEMORY_H

#include "made_live.h"

enum {
	MADE_MEMORY_BASE = 0x600000,
	MADE_HEADER_AT = 0x400,
	MADE_BSS_AT = 0x500,
	MADE_LIST_HEAD_AT = 0x540,
	MADE_COUNTERS_AT = 0x800,
	MADE_COUNTERS_END = 0xa00,
	MADE_LIST_AT = 0xa00,
	MADE_BLOBS_AT = 0xc00,
	MADE_PLUGIN_AT = 0xe00,
	MADE_MEMORY_SIZE = 0x1100,
};

static inline void put_word(unsigned char *memory, size_t at, uint64_t value)
{
	set_le((char *)memory + at, value, 8);
}

/* Word i of the module data at `at` is the address of an offset. */
static inline void put_address(unsigned char *memory, size_t at, unsigned i, size_t offset)
{
	put_word(memory, at + 8 * i, MADE_MEMORY_BASE + offset);
}

static inline void put_module(unsigned char *memory, size_t at, size_t covctrs, size_t ecovctrs)
{
	put_address(memory, at, 0, MADE_HEADER_AT);
	put_address(memory, at, 20, 0x10); /* minpc, maxpc, text, etext: code lies elsewhere */
	put_address(memory, at, 21, 0x20);
	put_address(memory, at, 22, 0);
	put_address(memory, at, 23, 0x20);
	put_address(memory, at, 28, MADE_BSS_AT);
	put_address(memory, at, 29, MADE_COUNTERS_AT);
	put_address(memory, at, 30, MADE_COUNTERS_AT);
	put_address(memory, at, 31, MADE_COUNTERS_END);
	put_address(memory, at, 32, covctrs);
	put_address(memory, at, 33, ecovctrs);
	put_address(memory, at, 34, MADE_COUNTERS_END);
}

static inline void put_slot(unsigned char *memory, size_t at, uint32_t n, uint32_t package,
			    uint32_t function, uint32_t value)
{
	uint32_t i;

	set_le((char *)memory + at, n, 4);
	set_le((char *)memory + at + 4, package, 4);
	set_le((char *)memory + at + 8, function, 4);
	for (i = 0; i < n; i++)
		set_le((char *)memory + at + 12 + 4 * i, value + i, 4);
}

static inline void put_package(unsigned char *memory, unsigned i, size_t blob_at,
			       const struct buffer *blob, int64_t hard_id)
{
	size_t at = MADE_LIST_AT + 64 * i;

	memcpy(memory + blob_at, blob->data, blob->len);
	put_word(memory, at, MADE_MEMORY_BASE + blob_at);
	memcpy(memory + at + 8, blob->data, 4);
	memcpy(memory + at + 12, blob->data + COVBLOB_AT_HASH, COVERAGE_HASH_SIZE);
	put_word(memory, at + 48, (uint64_t)hard_id);
	memory[at + 56] = COUNTER_MODE_ATOMIC;
	memory[at + 57] = GRANULARITY_PERBLOCK;
}

/* MADE_MEMORY_SIZE bytes; the caller frees them. */
static inline unsigned char *made_memory(enum coverage_hash_kind kind)
{
	static const uint32_t units_one[] = {1, 3, 5}, units_two[] = {2};
	unsigned char *memory = calloc(1, MADE_MEMORY_SIZE);
	struct buffer blob = BUFFER_INIT;

	assert_non_null(memory);
	memcpy(memory + MADE_HEADER_AT, "\xf1\xff\xff\xff\0\0\1\10", 8);
	put_module(memory, 0, MADE_COUNTERS_AT, MADE_COUNTERS_AT + 0x100);
	put_module(memory, MADE_PLUGIN_AT, MADE_COUNTERS_AT + 0x100, MADE_COUNTERS_END);
	put_word(memory, 8 * 72, MADE_MEMORY_BASE + MADE_PLUGIN_AT);
	make_blob(&blob, "example.com/one", units_one, 3, kind);
	put_package(memory, 0, MADE_BLOBS_AT, &blob, -1);
	make_blob(&blob, "runtime/two", units_two, 1, kind);
	put_package(memory, 1, MADE_BLOBS_AT + 0x100, &blob, -3);
	buffer_free(&blob);
	put_word(memory, MADE_LIST_HEAD_AT, MADE_MEMORY_BASE + MADE_LIST_AT);
	put_word(memory, MADE_LIST_HEAD_AT + 8, 2);
	put_word(memory, MADE_LIST_HEAD_AT + 16, 4);
	put_slot(memory, MADE_COUNTERS_AT + 0x10, 1, 1, 0, 7);
	put_slot(memory, MADE_COUNTERS_AT + 0x40, 5, 1, 2, 3);
	put_slot(memory, MADE_COUNTERS_AT + 0x120, 2, (uint32_t)-3, 0, 200);
	return memory;
}

#endif
