/*
 * The 16-byte hashes by which Go's coverage files find each other.  They are identities, not a
 * defence: MD5 (RFC 1321) up to Go 1.23, 128-bit FNV-1a from Go 1.24 on.
 */
#ifndef GOVERAGE_FORMAT_COVERAGE_HASH_H
#define GOVERAGE_FORMAT_COVERAGE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/format/coverage_format.h"

enum coverage_hash_kind { COVERAGE_HASH_MD5, COVERAGE_HASH_FNV };

struct coverage_hash {
	enum coverage_hash_kind kind;
	uint64_t total; /* bytes so far */
	uint32_t md5[4];
	unsigned char block[64];
	uint64_t fnv_high, fnv_low;
};

void coverage_hash_start(struct coverage_hash *hash, enum coverage_hash_kind kind);
void coverage_hash_add(struct coverage_hash *hash, const void *bytes, size_t n);
/* Little-endian, as Go writes numbers into these hashes. */
void coverage_hash_add_u32(struct coverage_hash *hash, uint32_t value);
void coverage_hash_end(struct coverage_hash *hash, unsigned char out[COVERAGE_HASH_SIZE]);

#endif
