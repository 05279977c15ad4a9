/* The hashes that tie coverage files together. */
#include "unit.h"

#include <stdio.h>

#include "cgi/format/coverage_hash.h"

static void check(enum coverage_hash_kind kind, const char *text, size_t step, const char *want)
{
	unsigned char out[COVERAGE_HASH_SIZE];
	struct coverage_hash hash;
	size_t len = strlen(text), at, i;
	char hex[2 * COVERAGE_HASH_SIZE + 1];

	coverage_hash_start(&hash, kind);
	for (at = 0; at < len; at += step)
		coverage_hash_add(&hash, text + at, len - at < step ? len - at : step);
	coverage_hash_end(&hash, out);
	for (i = 0; i < sizeof out; i++)
		snprintf(hex + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(hex, want);
}

static const char digits[] =
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890";

/* RFC 1321, A.5 */
static void md5(void **state)
{
	(void)state;
	check(COVERAGE_HASH_MD5, "", 1, "d41d8cd98f00b204e9800998ecf8427e");
	check(COVERAGE_HASH_MD5, "a", 1, "0cc175b9c0f1b6a831c399e269772661");
	check(COVERAGE_HASH_MD5, "abc", 1, "900150983cd24fb0d6963f7d28e17f72");
	check(COVERAGE_HASH_MD5, "message digest", 5, "f96b697d7cb7938d525a2f31aaf161d0");
	check(COVERAGE_HASH_MD5, "abcdefghijklmnopqrstuvwxyz", 26,
	      "c3fcd3d76192e4007dfb496cca67e13b");
	check(COVERAGE_HASH_MD5, digits, 80, "57edf4a22be3c955ac49da2e2107b67a");
}

/* In whatever pieces it comes. */
static void md5_pieces(void **state)
{
	size_t step;

	(void)state;
	for (step = 1; step <= 80; step++)
		check(COVERAGE_HASH_MD5, digits, step, "57edf4a22be3c955ac49da2e2107b67a");
}

/* The offset basis, and values of the reference implementation of FNV. */
static void fnv(void **state)
{
	(void)state;
	check(COVERAGE_HASH_FNV, "", 1, "6c62272e07bb014262b821756295c58d");
	check(COVERAGE_HASH_FNV, "a", 1, "d228cb696f1a8caf78912b704e4a8964");
	check(COVERAGE_HASH_FNV, "foobar", 2, "343e1662793c64bf6f0d3597ba446f18");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(md5),
	    cmocka_unit_test(md5_pieces),
	    cmocka_unit_test(fnv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
