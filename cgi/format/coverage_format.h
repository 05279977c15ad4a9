/*
 * The bytes of Go's coverage files, versions 1 (Go 1.20 and later): src/internal/coverage/defs.go and
 * its encoders in Go's own tree.  All integers are little-endian; "uleb" is unsigned LEB128.
 *
 * covmeta.<hash>:  header (56 bytes), P package offsets (u64), P package lengths (u64), string table,
 *                  package blobs.
 * covcounters.<hash>.<pid>.<unix nanoseconds>:  header (32 bytes), segment, footer (16 bytes).
 */
#ifndef GOVERAGE_FORMAT_COVERAGE_FORMAT_H
#define GOVERAGE_FORMAT_COVERAGE_FORMAT_H

#include <stdint.h>

#define COVMETA_MAGIC "\0cvm"
#define COVCOUNTERS_MAGIC "\0cwm"

enum {
	COVERAGE_VERSION = 1, /* newest that is known; 0 is accepted by covdata too */
	COVERAGE_HASH_SIZE = 16,

	COVMETA_HEADER_SIZE = 56,
	COVMETA_AT_VERSION = 4,	  /* u32 */
	COVMETA_AT_LENGTH = 8,	  /* u64, of the whole file */
	COVMETA_AT_PACKAGES = 16, /* u64 */
	COVMETA_AT_HASH = 24,
	COVMETA_AT_STRINGS_LENGTH = 44, /* u32, of the table behind the package lengths */
	COVMETA_AT_MODE = 48,		/* u8, enum counter_mode */
	COVMETA_AT_GRANULARITY = 49,	/* u8, enum counter_granularity */

	/* a package blob, offsets relative to it */
	COVBLOB_AT_LENGTH = 0, /* u32 */
	COVBLOB_AT_NAME = 4,   /* u32, string index, as the next two */
	COVBLOB_AT_IMPORT_PATH = 8,
	COVBLOB_AT_MODULE_PATH = 12,
	COVBLOB_AT_HASH = 16,
	COVBLOB_AT_FUNCTIONS = 40, /* u32 */
	COVBLOB_HEADER_SIZE = 44,  /* then one u32 offset a function, then the string table */

	COVCOUNTERS_HEADER_SIZE = 32,
	COVCOUNTERS_AT_VERSION = 4, /* u32 */
	COVCOUNTERS_AT_HASH = 8,
	COVCOUNTERS_AT_FLAVOR = 24,	      /* u8, enum counter_flavor */
	COVCOUNTERS_AT_BIG_ENDIAN = 25,	      /* u8; only for COUNTER_RAW */
	COVCOUNTERS_SEGMENT_HEADER_SIZE = 16, /* u64 entries, u32 string bytes, u32 args bytes */
	COVCOUNTERS_FOOTER_SIZE = 16,	      /* magic, u32 padding, u32 segments, u32 padding */
	COVCOUNTERS_FOOTER_AT_SEGMENTS = 8,
};

enum counter_mode {
	COUNTER_MODE_NONE = 0,
	COUNTER_MODE_SET = 1,
	COUNTER_MODE_COUNT = 2,
	COUNTER_MODE_ATOMIC = 3,
	COUNTER_MODE_REGONLY = 4,
	COUNTER_MODE_TESTMAIN = 5,
};

enum counter_granularity {
	GRANULARITY_NONE = 0,
	GRANULARITY_PERBLOCK = 1,
	GRANULARITY_PERFUNC = 2
};

enum counter_flavor { COUNTER_RAW = 1, COUNTER_ULEB = 2 };

/* "set", "count", "atomic"; "<invalid>" for anything else, as Go prints it. */
static inline const char *counter_mode_name(unsigned mode)
{
	return mode == COUNTER_MODE_SET	     ? "set"
	       : mode == COUNTER_MODE_COUNT  ? "count"
	       : mode == COUNTER_MODE_ATOMIC ? "atomic"
					     : "<invalid>";
}

static inline uint32_t le32(const void *p)
{
	const unsigned char *b = p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t le64(const void *p)
{
	return le32(p) | (uint64_t)le32((const unsigned char *)p + 4) << 32;
}

#endif
