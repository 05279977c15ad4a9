/* Packages, programs and ELF files that are made for a test. */
#ifndef GOVERAGE_TESTS_UNIT_MADE_LIVE_H
#define GOVERAGE_TESTS_UNIT_MADE_LIVE_H

#include "cgi/base/buffer.h"
#include "cgi/format/uleb.h"
#include "cgi/live/go/package_blob.h"
#include "cgi/live/go/program.h"
#include "unit.h"

static inline void add_uleb(struct buffer *out, uint64_t value)
{
	unsigned char bytes[ULEB_MAX];

	buffer_append(out, bytes, uleb_put(bytes, value));
}

static inline void add_le(struct buffer *out, uint64_t value, unsigned bytes)
{
	for (; bytes--; value >>= 8)
		buffer_putc(out, (char)(value & 0xff));
}

static inline void set_le(char *out, uint64_t value, unsigned bytes)
{
	for (; bytes--; value >>= 8)
		*out++ = (char)(value & 0xff);
}

/*
 * The blob of a package whose functions have units[0..n) blocks.  Strings: "", path, "f", "a.go";
 * the package is called as its path.
 */
static inline void make_blob(struct buffer *out, const char *path, const uint32_t *units,
			     uint32_t n, enum coverage_hash_kind kind)
{
	struct fault fault = FAULT_INIT;
	unsigned char hash[COVERAGE_HASH_SIZE];
	uint32_t i, k;

	buffer_reset(out);
	add_le(out, 0, 4);
	add_le(out, 1, 4);
	add_le(out, 1, 4);
	add_le(out, 0, 4);
	buffer_append(out, "................", 16);
	add_le(out, 0, 4);
	add_le(out, 4, 4);
	add_le(out, n, 4);
	for (i = 0; i < n; i++)
		add_le(out, 0, 4);
	add_uleb(out, 4);
	add_uleb(out, 0);
	add_uleb(out, strlen(path));
	buffer_puts(out, path);
	add_uleb(out, 1);
	buffer_puts(out, "f");
	add_uleb(out, 4);
	buffer_puts(out, "a.go");
	for (i = 0; i < n; i++) {
		set_le(out->data + COVBLOB_HEADER_SIZE + 4 * i, out->len, 4);
		add_uleb(out, units[i]);
		add_uleb(out, 2);
		add_uleb(out, 3);
		for (k = 0; k < 5 * units[i]; k++)
			add_uleb(out, 100 * i + k);
		add_uleb(out, 0);
	}
	set_le(out->data, out->len, 4);
	assert_int_equal(
	    package_blob_hash((unsigned char *)out->data, out->len, kind, hash, &fault), 0);
	memcpy(out->data + COVBLOB_AT_HASH, hash, sizeof hash);
}

struct made_package {
	const char *path;
	const uint32_t *units;
	uint32_t n;
	int64_t hard_id;
};

static inline void make_registration(struct registration *r, const struct made_package *packages,
				     uint32_t n, uint8_t mode, enum coverage_hash_kind kind)
{
	struct buffer all = BUFFER_INIT, blob = BUFFER_INIT;
	uint32_t i;

	*r = (struct registration){.packages = calloc(n, sizeof *r->packages), .n = n};
	assert_non_null(r->packages);
	for (i = 0; i < n; i++) {
		make_blob(&blob, packages[i].path, packages[i].units, packages[i].n, kind);
		r->packages[i] = (struct registered_package){.blob_at = all.len,
							     .blob_len = (uint32_t)blob.len,
							     .hard_id = packages[i].hard_id,
							     .mode = mode,
							     .granularity = GRANULARITY_PERBLOCK};
		buffer_append(&all, blob.data, blob.len);
	}
	r->blobs = (unsigned char *)all.data;
	r->blobs_len = all.len;
	buffer_free(&blob);
}

/* The caller puts it. */
static inline struct program *make_program(const struct made_package *packages, uint32_t n)
{
	struct registration r;
	struct fault fault = FAULT_INIT;
	struct program *program;

	make_registration(&r, packages, n, COUNTER_MODE_COUNT, COVERAGE_HASH_FNV);
	program = program_new(&r, &fault);
	assert_non_null(program);
	return program;
}

#endif
