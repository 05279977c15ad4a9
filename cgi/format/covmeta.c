#include "cgi/format/covmeta.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/io.h"
#include "cgi/format/byte_reader.h"

/* What is needed only while a file is decoded. */
struct meta_file {
	int fd;
	uint64_t size;	       /* of the file, as it is */
	uint64_t claimed_size; /* as the header says; offsets and lengths are held against it */
	uint64_t n_packages;
	uint8_t *tables; /* owned; package offsets, then package lengths, then the string table */
	uint8_t *blob;	 /* owned; the package at hand */
	size_t blob_cap;
};

static void meta_file_free(struct meta_file *f)
{
	free(f->tables);
	free(f->blob);
}

#define cleanup_meta_file cleanup_with(meta_file_free)

static int read_exactly(const struct meta_file *f, void *buf, size_t n, uint64_t offset,
			struct error *err)
{
	ssize_t got = io_pread_full(f->fd, buf, n, (off_t)offset);

	if (got < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't be read");
	if ((size_t)got < n)
		return error_set(err, ERROR_INTERNAL, "ends too early");
	return 0;
}

static int measure(struct meta_file *f, struct error *err)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't be read");
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTERNAL, "is not a regular file");
	if (st.st_size > COVERAGE_FILE_MAX)
		return error_set(err, ERROR_INTERNAL, "is larger than %d MiB",
				 COVERAGE_FILE_MAX >> 20);
	f->size = (uint64_t)st.st_size;
	return 0;
}

static int read_header(struct meta_file *f, struct covmeta *meta, bool *newer, struct error *err)
{
	uint8_t header[COVMETA_HEADER_SIZE];
	uint32_t version;

	if (read_exactly(f, header, sizeof header, 0, err) < 0)
		return -1;
	if (memcmp(header, COVMETA_MAGIC, 4) != 0)
		return error_set(err, ERROR_INTERNAL, "is not a meta-data file of Go");
	version = le32(header + COVMETA_AT_VERSION);
	*newer = coverage_version_is_newer(version);
	if (version > COVERAGE_VERSION)
		return error_set(err, ERROR_INTERNAL, "has format version %u, newer than %d",
				 version, COVERAGE_VERSION);
	f->claimed_size = le64(header + COVMETA_AT_LENGTH);
	f->n_packages = le64(header + COVMETA_AT_PACKAGES);
	meta->mode = header[COVMETA_AT_MODE];
	meta->granularity = header[COVMETA_AT_GRANULARITY];
	if (meta->mode == COUNTER_MODE_NONE)
		return error_set(err, ERROR_INTERNAL, "has no counter mode");
	if (f->n_packages > (f->size - sizeof header) / 16)
		return error_set(err, ERROR_INTERNAL, "has more packages than fit");
	return 0;
}

/*
 * Packages that overlap could make a small file stand for any amount of data.  A single wrong
 * length can at most double the sum, and covdata takes that.
 */
static int check_tables(const struct meta_file *f, struct error *err)
{
	uint64_t sum = 0, i;

	for (i = 0; i < f->n_packages; i++) {
		uint64_t at = le64(f->tables + 8 * i);
		uint64_t len = le64(f->tables + 8 * (f->n_packages + i));

		if (at > f->claimed_size || len > f->claimed_size)
			return error_set(err, ERROR_INTERNAL, "has a damaged package table");
		if (at > f->size || len > f->size - at)
			return error_set(err, ERROR_INTERNAL, "ends too early");
		sum += len;
		if (sum > 4 * f->size)
			return error_set(err, ERROR_INTERNAL, "has packages that overlap");
	}
	return 0;
}

static int read_tables(struct meta_file *f, struct error *err)
{
	size_t n = (size_t)f->n_packages * 16;

	f->tables = malloc(n ? n : 1);
	if (!f->tables)
		return error_no_memory(err);
	if (read_exactly(f, f->tables, n, COVMETA_HEADER_SIZE, err) < 0)
		return -1;
	return check_tables(f, err);
}

/* Read the blob of package i into f->blob. */
static int read_blob(struct meta_file *f, uint64_t i, size_t *len, struct error *err)
{
	uint64_t at = le64(f->tables + 8 * i);

	*len = (size_t)le64(f->tables + 8 * (f->n_packages + i));
	if (*len > f->blob_cap) {
		free(f->blob);
		f->blob_cap = *len;
		f->blob = malloc(*len);
		if (!f->blob) {
			f->blob_cap = 0;
			return error_no_memory(err);
		}
	}
	return *len ? read_exactly(f, f->blob, *len, at, err) : 0;
}

static int read_packages(struct meta_file *f, struct covmeta *meta, struct package_store *store,
			 struct error *err)
{
	size_t len;

	meta->packages = calloc(f->n_packages + 1, sizeof *meta->packages);
	if (!meta->packages)
		return error_no_memory(err);
	while (meta->n_packages < f->n_packages) {
		struct covpackage *package;

		if (read_blob(f, meta->n_packages, &len, err) < 0)
			return -1;
		package = package_store_get(store, f->blob, len, err);
		if (!package)
			return -1;
		meta->packages[meta->n_packages++] = package;
		meta->n_cut += covpackage_is_cut(package);
	}
	return 0;
}

int covmeta_read(struct covmeta *meta, int fd, struct package_store *store, bool *newer,
		 struct error *err)
{
	cleanup_meta_file struct meta_file f = {.fd = fd};
	cleanup_covmeta struct covmeta reading = COVMETA_INIT;

	*newer = false;
	if (measure(&f, err) < 0 || read_header(&f, &reading, newer, err) < 0 ||
	    read_tables(&f, err) < 0 || read_packages(&f, &reading, store, err) < 0)
		return -1;
	*meta = reading;
	reading = COVMETA_INIT;
	return 0;
}

void covmeta_free(struct covmeta *meta)
{
	uint32_t i;

	for (i = 0; i < meta->n_packages; i++)
		covpackage_release(meta->packages[i]);
	free(meta->packages);
	*meta = COVMETA_INIT;
}
