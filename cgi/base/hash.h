/* FNV-1a, for names and fingerprints that nobody attacks: quick to write, the same everywhere. */
#ifndef GOVERAGE_BASE_HASH_H
#define GOVERAGE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* The hash of what came before (HASH_START = nothing), and n bytes. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;
	size_t i;

	for (i = 0; i < n; i++)
		hash = (hash ^ b[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
