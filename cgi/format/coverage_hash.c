#include "cgi/format/coverage_hash.h"

#include <string.h>

enum { BLOCK = 64 };

static const uint32_t md5_start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t md5_sines[BLOCK] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const unsigned char md5_turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t turn(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t md5_mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round) {
	case 0:
		return (b & c) | (~b & d);
	case 1:
		return (d & b) | (~d & c);
	case 2:
		return b ^ c ^ d;
	}
	return c ^ (b | ~d);
}

static unsigned md5_word(unsigned round, unsigned i)
{
	static const unsigned char factor[4] = {1, 5, 3, 7}, start[4] = {0, 1, 5, 0};

	return (factor[round] * i + start[round]) & 15;
}

static void md5_block(uint32_t state[4], const unsigned char *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	unsigned i;

	for (i = 0; i < BLOCK; i++) {
		unsigned round = i / 16;
		uint32_t sum = a + md5_mix(round, b, c, d) + md5_sines[i] +
			       le32(block + 4 * md5_word(round, i));

		a = d;
		d = c;
		c = b;
		b += turn(sum, md5_turns[round][i % 4]);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

static void md5_add(struct coverage_hash *hash, const unsigned char *p, size_t n)
{
	size_t used = hash->total % BLOCK;

	while (n) {
		size_t part = BLOCK - used < n ? BLOCK - used : n;

		memcpy(hash->block + used, p, part);
		p += part;
		n -= part;
		used += part;
		if (used == BLOCK) {
			md5_block(hash->md5, hash->block);
			used = 0;
		}
	}
}

/* Multiply by 2^88 + 0x13b, modulo 2^128. */
static void fnv_add(struct coverage_hash *hash, const unsigned char *p, size_t n)
{
	uint64_t high = hash->fnv_high, low = hash->fnv_low;
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t carry;

		low ^= p[i];
		carry = ((low >> 32) * 0x13b + ((low & 0xffffffff) * 0x13b >> 32)) >> 32;
		high = high * 0x13b + carry + (low << 24);
		low *= 0x13b;
	}
	hash->fnv_high = high;
	hash->fnv_low = low;
}

void coverage_hash_start(struct coverage_hash *hash, enum coverage_hash_kind kind)
{
	memset(hash, 0, sizeof *hash);
	hash->kind = kind;
	memcpy(hash->md5, md5_start, sizeof md5_start);
	hash->fnv_high = 0x6c62272e07bb0142;
	hash->fnv_low = 0x62b821756295c58d;
}

void coverage_hash_add(struct coverage_hash *hash, const void *bytes, size_t n)
{
	if (hash->kind == COVERAGE_HASH_MD5)
		md5_add(hash, bytes, n);
	else
		fnv_add(hash, bytes, n);
	hash->total += n;
}

void coverage_hash_add_u32(struct coverage_hash *hash, uint32_t value)
{
	unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8),
				  (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

	coverage_hash_add(hash, bytes, sizeof bytes);
}

static void fnv_end(const struct coverage_hash *hash, unsigned char *out)
{
	unsigned i;

	for (i = 0; i < 8; i++) {
		out[i] = (unsigned char)(hash->fnv_high >> (56 - 8 * i));
		out[8 + i] = (unsigned char)(hash->fnv_low >> (56 - 8 * i));
	}
}

static void md5_end(struct coverage_hash *hash, unsigned char *out)
{
	static const unsigned char padding[BLOCK] = {0x80};
	uint64_t bits = hash->total * 8;
	size_t used = hash->total % BLOCK;
	unsigned i;

	coverage_hash_add(hash, padding, (used < 56 ? 56 : 120) - used);
	coverage_hash_add_u32(hash, (uint32_t)bits);
	coverage_hash_add_u32(hash, (uint32_t)(bits >> 32));
	for (i = 0; i < COVERAGE_HASH_SIZE; i++)
		out[i] = (unsigned char)(hash->md5[i / 4] >> (8 * (i % 4)));
}

void coverage_hash_end(struct coverage_hash *hash, unsigned char out[COVERAGE_HASH_SIZE])
{
	if (hash->kind == COVERAGE_HASH_MD5)
		md5_end(hash, out);
	else
		fnv_end(hash, out);
}
