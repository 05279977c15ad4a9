#include "cgi/live/go/package_blob.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/format/byte_reader.h"

enum { UNIT_VALUES = 5 };      /* start line, start column, end line, end column, statements */
enum { HASHED_PER_BYTE = 64 }; /* a short record may name long strings */

struct blob {
	const unsigned char *data;
	size_t len;
	uint32_t n_functions;
	uint32_t *strings; /* owned; where each one begins, with its length in front */
	size_t n_strings;
	uint64_t budget; /* bytes that may still be hashed: records of a real blob don't overlap */
};

static void blob_free(struct blob *blob)
{
	free(blob->strings);
}

static int senseless(struct fault *fault, const char *what)
{
	return fault_set(fault, FAULT_UNSUPPORTED, "its coverage meta-data make no sense (%s)",
			 what);
}

static int check_header(const unsigned char *data, size_t len, uint32_t *n_functions,
			struct fault *fault)
{
	if (len < COVBLOB_HEADER_SIZE || le32(data + COVBLOB_AT_LENGTH) != len)
		return senseless(fault, "length of a package");
	*n_functions = le32(data + COVBLOB_AT_FUNCTIONS);
	if (*n_functions > (len - COVBLOB_HEADER_SIZE) / 4)
		return senseless(fault, "number of functions");
	return 0;
}

/* The record of function i, to the end of the blob. */
static int open_function(const unsigned char *data, size_t len, uint32_t i,
			 struct byte_reader *record, struct fault *fault)
{
	uint32_t offset = le32(data + COVBLOB_HEADER_SIZE + 4 * (size_t)i);

	if (offset < COVBLOB_HEADER_SIZE || offset >= len)
		return senseless(fault, "offset of a function");
	*record = byte_reader_on(data + offset, len - offset);
	return 0;
}

static int take_unit_count(struct byte_reader *record, uint32_t *units, struct fault *fault)
{
	uint64_t n = byte_reader_uleb(record);

	if (record->failed || n > byte_reader_left(record) / UNIT_VALUES)
		return senseless(fault, "units of a function");
	*units = (uint32_t)n;
	return 0;
}

int package_blob_units(const unsigned char *blob, size_t len, uint32_t **units,
		       uint32_t *n_functions, struct fault *fault)
{
	cleanup_free uint32_t *counts = NULL;
	struct byte_reader record;
	uint32_t n, i;

	if (check_header(blob, len, &n, fault) < 0)
		return -1;
	counts = n ? malloc(n * sizeof *counts) : NULL;
	if (n && !counts)
		return fault_no_memory(fault);
	for (i = 0; i < n; i++)
		if (open_function(blob, len, i, &record, fault) < 0 ||
		    take_unit_count(&record, &counts[i], fault) < 0)
			return -1;
	*units = steal_ptr(counts);
	*n_functions = n;
	return 0;
}

static int read_strings(struct blob *blob, struct fault *fault)
{
	size_t at = COVBLOB_HEADER_SIZE + 4 * (size_t)blob->n_functions;
	struct byte_reader r = byte_reader_on(blob->data + at, blob->len - at);
	uint64_t n = byte_reader_uleb(&r), i;

	if (r.failed || n > byte_reader_left(&r))
		return senseless(fault, "string table");
	blob->strings = n ? malloc(n * sizeof *blob->strings) : NULL;
	if (n && !blob->strings)
		return fault_no_memory(fault);
	for (i = 0; i < n; i++) {
		blob->strings[i] = (uint32_t)(r.at - blob->data);
		byte_reader_take(&r, byte_reader_uleb(&r));
		if (r.failed)
			return senseless(fault, "string table");
	}
	blob->n_strings = (size_t)n;
	return 0;
}

static int spend(struct blob *blob, uint64_t bytes, struct fault *fault)
{
	if (bytes > blob->budget)
		return senseless(fault, "overlapping functions");
	blob->budget -= bytes;
	return 0;
}

static int add_string(struct coverage_hash *hash, struct blob *blob, uint64_t index,
		      struct fault *fault)
{
	struct byte_reader r;
	const uint8_t *text;
	uint64_t len;

	if (index >= blob->n_strings)
		return senseless(fault, "string index");
	r = byte_reader_on(blob->data + blob->strings[index], blob->len - blob->strings[index]);
	len = byte_reader_uleb(&r);
	text = byte_reader_take(&r, len);
	if (!text)
		return senseless(fault, "string table");
	if (spend(blob, len, fault) < 0)
		return -1;
	coverage_hash_add(hash, text, (size_t)len);
	return 0;
}

static int add_function(struct coverage_hash *hash, struct blob *blob, uint32_t i,
			struct fault *fault)
{
	struct byte_reader record;
	uint64_t name, file, k;
	uint32_t units = 0;

	if (open_function(blob->data, blob->len, i, &record, fault) < 0 ||
	    take_unit_count(&record, &units, fault) < 0)
		return -1;
	name = byte_reader_uleb(&record);
	file = byte_reader_uleb(&record);
	if (record.failed)
		return senseless(fault, "names of a function");
	if (add_string(hash, blob, name, fault) < 0 || add_string(hash, blob, file, fault) < 0)
		return -1;
	if (spend(blob, 4 * (uint64_t)units * UNIT_VALUES, fault) < 0)
		return -1;
	for (k = 0; k < (uint64_t)units * UNIT_VALUES + 1; k++) /* and the literal flag */
		coverage_hash_add_u32(hash, (uint32_t)byte_reader_uleb(&record));
	return record.failed ? senseless(fault, "positions of a function") : 0;
}

int package_blob_hash(const unsigned char *blob, size_t len, enum coverage_hash_kind kind,
		      unsigned char out[COVERAGE_HASH_SIZE], struct fault *fault)
{
	cleanup_with(blob_free) struct blob b = {
	    .data = blob, .len = len, .budget = len * (uint64_t)HASHED_PER_BYTE + (1 << 20)};
	struct coverage_hash hash;
	uint32_t i;

	if (check_header(blob, len, &b.n_functions, fault) < 0 || read_strings(&b, fault) < 0)
		return -1;
	coverage_hash_start(&hash, kind);
	if (add_string(&hash, &b, le32(blob + COVBLOB_AT_IMPORT_PATH), fault) < 0 ||
	    add_string(&hash, &b, le32(blob + COVBLOB_AT_NAME), fault) < 0 ||
	    add_string(&hash, &b, le32(blob + COVBLOB_AT_MODULE_PATH), fault) < 0)
		return -1;
	for (i = 0; i < b.n_functions; i++)
		if (add_function(&hash, &b, i, fault) < 0)
			return -1;
	coverage_hash_end(&hash, out);
	return 0;
}
