/* A meta-data file: decoded, ordered and printed, alone and joined with itself. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/format/covmeta.h"
#include "cgi/format/unit_rows.h"
#include "cgi/sum/covprofile.h"
#include "cgi/text/textfmt_writer.h"

/* The rows come file by file, in order, each unit at most once. */
static void check_rows(const struct unit_rows *rows, size_t n_units)
{
	cleanup_free uint8_t *seen = calloc(n_units + 1, 1);
	size_t file, i = 0;

	fuzz_expect(seen != NULL);
	for (file = 0; file < rows->n_files; file++) {
		size_t start = i;

		fuzz_expect(file == 0 ||
			    string_ref_compare(rows->files[file - 1], rows->files[file]) < 0);
		for (; i < rows->file_ends[file]; i++) {
			fuzz_expect(rows->order[i] < n_units && !seen[rows->order[i]]);
			seen[rows->order[i]] = 1;
			fuzz_expect(i == start ||
				    covunit_compare(&rows->units[rows->order[i - 1]],
						    &rows->units[rows->order[i]]) <= 0);
		}
	}
	fuzz_expect(i <= n_units);
}

static uint64_t sum_of_rows(const struct unit_rows *rows)
{
	size_t n = rows->n_files ? rows->file_ends[rows->n_files - 1] : 0, i;
	uint64_t sum = 0;

	for (i = 0; i < n; i++)
		sum += rows->counters[rows->order[i]];
	return sum;
}

/* Joined with itself a package has the same rows, and every counter twice. */
static void join(const struct covpackage *package)
{
	cleanup_unit_rows struct unit_rows one = UNIT_ROWS_INIT, two = UNIT_ROWS_INIT;
	cleanup_free uint32_t *counters = malloc((package->n_units + 1) * sizeof *counters);
	struct counted_package twice[2] = {{package, counters}, {package, counters}};
	uint32_t i;

	fuzz_expect(counters != NULL);
	for (i = 0; i < package->n_units; i++)
		counters[i] = i % 1000;
	fuzz_expect(unit_rows_make(&one, twice, 1, false, NULL) == 0);
	fuzz_expect(unit_rows_make(&two, twice, 2, false, NULL) == 0);
	check_rows(&one, package->n_units);
	check_rows(&two, 2 * (size_t)package->n_units);
	fuzz_expect(one.n_files == two.n_files);
	fuzz_expect(one.n_files == 0 ||
		    one.file_ends[one.n_files - 1] == two.file_ends[two.n_files - 1]);
	fuzz_expect(2 * sum_of_rows(&one) == sum_of_rows(&two));
}

/* What is yet to come. */
struct received {
	const char *expected;
	size_t left;
};

static int compare(void *received_, const char *bytes, size_t n)
{
	struct received *received = received_;

	fuzz_expect(n <= received->left && memcmp(bytes, received->expected, n) == 0);
	received->expected += n;
	received->left -= n;
	return 0;
}

/* In pieces and at once it is the same text. */
static void print(const struct covmeta *meta)
{
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_covprofile struct covprofile *profile = covprofile_new(NULL);
	cleanup_free size_t *first = calloc(meta->n_packages + 1, sizeof *first);
	cleanup_textfmt_writer struct textfmt_writer *writer = NULL;
	cleanup_profile_text struct profile_text *text = NULL;
	struct error err = {0};
	struct received received;

	fuzz_expect(profile && first);
	fuzz_expect(covprofile_add_program(profile, meta, first, &err) == 0);
	writer = textfmt_writer_new(profile, NULL, &deadline, &err);
	fuzz_expect(writer != NULL);
	text = textfmt_writer_text(writer, NULL, &err);
	fuzz_expect(text && text->len == textfmt_writer_size(writer));
	received = (struct received){text->bytes, text->len};
	fuzz_expect(textfmt_writer_send(writer, compare, &received) == 0 && !received.left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_package_store struct package_store store = PACKAGE_STORE_INIT;
	cleanup_covmeta struct covmeta meta = COVMETA_INIT;
	cleanup_fd int fd = memfd_create("covmeta", MFD_CLOEXEC);
	struct error err = {0};
	bool newer;
	uint32_t i;

	fuzz_expect(fd >= 0 && io_write_full(fd, data, size) == 0);
	if (covmeta_read(&meta, fd, &store, &newer, &err) < 0) {
		fuzz_expect(err.class == ERROR_INTERNAL && err.message[0]);
		return 0;
	}
	for (i = 0; i < meta.n_packages; i++)
		join(meta.packages[i]);
	print(&meta);
	return 0;
}

/* --- mutations that keep the frame of the file ----------------------------------------------- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static void put_u64(uint8_t *at, uint64_t number)
{
	int i;

	for (i = 0; i < 8; i++)
		at[i] = (uint8_t)(number >> (8 * i));
}

/* Up to three packages that share the rest of the file; their function offsets point into it. */
static void mend_packages(uint8_t *data, size_t size, unsigned seed)
{
	size_t n = 1 + seed / 16 % 3, start = COVMETA_HEADER_SIZE + 16 * n + 2, i;
	size_t each = size > start ? (size - start) / n : 0;

	if (each < COVBLOB_HEADER_SIZE + 8)
		return;
	put_u64(data + COVMETA_AT_LENGTH, size);
	put_u64(data + COVMETA_AT_PACKAGES, n);
	for (i = 0; i < n; i++) {
		uint8_t *blob = data + start + i * each;

		put_u64(data + COVMETA_HEADER_SIZE + 8 * i, start + i * each);
		put_u64(data + COVMETA_HEADER_SIZE + 8 * (n + i), each);
		blob[0] = (uint8_t)each;
		blob[1] = (uint8_t)(each >> 8);
		blob[2] = blob[3] = 0;
		memset(blob + COVBLOB_AT_FUNCTIONS + 1, 0, 3);
		blob[COVBLOB_AT_FUNCTIONS] &= 7;
		memset(blob + COVBLOB_AT_IMPORT_PATH + 1, 0, 3);
		blob[COVBLOB_AT_IMPORT_PATH] &= 3;
	}
}

/* Nearly all that random changes do is break the frame, and nothing behind it would be reached. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size = LLVMFuzzerMutate(data, size, max);
	if (seed % 16 == 0 || size < COVMETA_HEADER_SIZE)
		return size;
	memcpy(data, COVMETA_MAGIC "\1\0\0\0", 8);
	data[COVMETA_AT_MODE] = (uint8_t)(1 + seed % 3);
	if (seed % 4 == 1)
		mend_packages(data, size, seed);
	return size;
}
