#include "cgi/format/covpackage.h"

#include <string.h>

#include "cgi/base/array.h"
#include "cgi/format/byte_reader.h"

enum {
	BYTES_PER_UNIT = 5, /* at least: five uleb values */
};

/* What is needed only while a package is decoded. */
struct decoding {
	struct covpackage *package;
	struct string_table strings;
	struct covunit *units; /* all units so far */
	size_t units_cap;
};

static void decoding_free(struct decoding *d)
{
	string_table_free(&d->strings);
	free(d->units);
}

#define cleanup_decoding cleanup_with(decoding_free)

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

uint64_t covpackage_content_hash(const uint8_t *blob, size_t len)
{
	const size_t skip_from = COVBLOB_AT_HASH, skip_to = COVBLOB_AT_HASH + COVERAGE_HASH_SIZE;
	uint64_t hash = len;
	size_t at;

	for (at = 0; at + 8 <= len; at += 8)
		if (at < skip_from || at >= skip_to)
			hash = mix(hash, le64(blob + at));
	for (; at < len; at++)
		hash = mix(hash, blob[at]);
	return hash;
}

bool covpackage_has(const struct covpackage *package, uint64_t hash, const uint8_t *blob,
		    size_t len)
{
	const size_t behind = COVBLOB_AT_HASH + COVERAGE_HASH_SIZE;

	return package->content_hash == hash && package->blob_len == len &&
	       memcmp(package->blob, blob, COVBLOB_AT_HASH) == 0 &&
	       memcmp(package->blob + behind, blob + behind, len - behind) == 0;
}

static struct covunit read_unit(struct byte_reader *r)
{
	struct covunit unit;

	unit.start_line = (uint32_t)byte_reader_uleb(r);
	unit.start_column = (uint32_t)byte_reader_uleb(r);
	unit.end_line = (uint32_t)byte_reader_uleb(r);
	unit.end_column = (uint32_t)byte_reader_uleb(r);
	unit.statements = (uint32_t)byte_reader_uleb(r);
	return unit;
}

/* The three values in front of the units of a function. */
struct record_head {
	uint32_t n_units, name, file;
};

static struct record_head read_record_head(struct byte_reader *r)
{
	struct record_head head;

	head.n_units = (uint32_t)byte_reader_uleb(r);
	head.name = (uint32_t)byte_reader_uleb(r);
	head.file = (uint32_t)byte_reader_uleb(r);
	return head;
}

static struct byte_reader read_at(const struct covpackage *package, size_t at)
{
	return byte_reader_on(package->blob + at, package->blob_len - at);
}

/*
 * The string table stands behind the function offsets.  Go computes its place in 32 bits: a wrong
 * number of functions can wrap around, and covdata then reads what it finds there.
 */
static int decode_strings(struct decoding *d, struct error *err)
{
	struct covpackage *package = d->package;
	uint32_t path = le32(package->blob + COVBLOB_AT_IMPORT_PATH);
	uint32_t module = le32(package->blob + COVBLOB_AT_MODULE_PATH);
	uint32_t at = COVBLOB_HEADER_SIZE + 4 * package->claimed_functions;
	struct byte_reader r;

	if (at > package->blob_len)
		return error_set(err, ERROR_INTERNAL, "has a package with more functions than fit");
	r = read_at(package, at);
	if (string_table_read(&d->strings, &r, err) < 0)
		return -1;
	if (path >= d->strings.n)
		return error_set(err, ERROR_INTERNAL, "has a package without its import path");
	package->import_path = d->strings.strings[path];
	if (module < d->strings.n)
		package->module_path = d->strings.strings[module];
	return 0;
}

static int reserve_units(struct decoding *d, size_t n, struct error *err)
{
	struct covunit *units =
	    array_grow(d->units, &d->units_cap, d->package->n_units, n, sizeof *units);

	if (!units)
		return error_no_memory(err);
	d->units = units;
	return 0;
}

/* Decode the record at offset `at` as the next function. */
static int decode_function(struct decoding *d, uint32_t at, struct error *err)
{
	struct covpackage *package = d->package;
	struct byte_reader r = read_at(package, at);
	struct record_head head = read_record_head(&r);
	uint32_t i;

	/* records that overlap could make a small file claim any number of units */
	if (r.failed || head.n_units > byte_reader_left(&r) / BYTES_PER_UNIT ||
	    head.n_units > package->blob_len - package->n_units)
		return error_set(err, ERROR_INTERNAL, "has a damaged function record");
	if (head.name >= d->strings.n || head.file >= d->strings.n)
		return error_set(err, ERROR_INTERNAL, "has a function without its name");
	if (reserve_units(d, head.n_units, err) < 0)
		return -1;
	for (i = 0; i < head.n_units; i++)
		d->units[package->n_units + i] = read_unit(&r);
	byte_reader_uleb(&r);
	if (r.failed)
		return error_set(err, ERROR_INTERNAL, "has a damaged function record");
	package->functions[package->n_functions++] =
	    (struct covfunction){at, head.file, package->n_units, head.n_units};
	package->n_units += head.n_units;
	return 0;
}

/*
 * As in covdata, the first offset that can't be one ends the package: what lies behind is missing
 * from the profile (see covpackage_is_cut).
 */
static int decode_functions(struct decoding *d, struct error *err)
{
	struct covpackage *package = d->package;
	size_t room = (package->blob_len - COVBLOB_HEADER_SIZE) / 4, i;
	size_t most = package->claimed_functions < room ? package->claimed_functions : room;
	uint32_t blob_length = le32(package->blob + COVBLOB_AT_LENGTH);

	package->functions = malloc((most ? most : 1) * sizeof *package->functions);
	if (!package->functions)
		return error_no_memory(err);
	for (i = 0; i < most; i++) {
		size_t slot = COVBLOB_HEADER_SIZE + 4 * i;
		uint32_t at = le32(package->blob + slot);

		if (at < slot || at > blob_length || at > package->blob_len)
			break;
		if (decode_function(d, at, err) < 0)
			return -1;
	}
	return 0;
}

struct used_file {
	struct string_ref path;
	uint32_t string; /* its index in the string table */
};

static int compare_used_files(const void *a, const void *b)
{
	return string_ref_compare(((const struct used_file *)a)->path,
				  ((const struct used_file *)b)->path);
}

/* The files that functions name, each string once: used[] has room for all strings. */
static size_t collect_files(const struct decoding *d, struct used_file *used, uint32_t *rank)
{
	size_t n = 0;
	uint32_t i;

	memset(rank, 0, d->strings.n * sizeof *rank);
	for (i = 0; i < d->package->n_functions; i++) {
		uint32_t string = d->package->functions[i].file;

		if (!rank[string])
			used[n++] = (struct used_file){d->strings.strings[string], string};
		rank[string] = 1;
	}
	return n;
}

/* In textfmt a line feed in a name would end the line: patterns, and whoever parses it, would see
 * other files than there are. */
static int check_names(const struct used_file *used, size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (memchr(used[i].path.text, '\n', used[i].path.len))
			return error_set(err, ERROR_INTERNAL,
					 "has a line feed in the name of a source file");
	return 0;
}

/* Make the list of files, and the file of each function, till now a string, an index into it. */
static int rank_files(struct decoding *d, struct error *err)
{
	struct covpackage *package = d->package;
	cleanup_free struct used_file *used = malloc(d->strings.n * sizeof *used);
	cleanup_free uint32_t *rank = malloc(d->strings.n * sizeof *rank);
	size_t n, i;

	if (!used || !rank)
		return error_no_memory(err);
	n = collect_files(d, used, rank);
	if (check_names(used, n, err) < 0)
		return -1;
	package->files = malloc((n ? n : 1) * sizeof *package->files);
	if (!package->files)
		return error_no_memory(err);
	qsort(used, n, sizeof *used, compare_used_files);
	for (i = 0; i < n; i++) {
		if (i == 0 || compare_used_files(&used[i], &used[i - 1]) != 0)
			package->files[package->n_files++] = used[i].path;
		rank[used[i].string] = package->n_files - 1;
	}
	for (i = 0; i < package->n_functions; i++)
		package->functions[i].file = rank[package->functions[i].file];
	return 0;
}

/* Put the units into order[], file by file, within a file as they came; starts[] gets the
 * borders. */
static void group_by_file(const struct covpackage *package, uint32_t *order, size_t *starts)
{
	uint32_t i, j;

	memset(starts, 0, (package->n_files + 2) * sizeof *starts);
	for (i = 0; i < package->n_functions; i++)
		starts[package->functions[i].file + 2] += package->functions[i].n_units;
	for (i = 2; i < package->n_files + 2; i++)
		starts[i] += starts[i - 1];
	for (i = 0; i < package->n_functions; i++)
		for (j = 0; j < package->functions[i].n_units; j++)
			order[starts[package->functions[i].file + 1]++] =
			    package->functions[i].first_unit + j;
}

static bool has_repeats(const uint32_t *order, size_t n, const struct covunit *units)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (covunit_compare(&units[order[i]], &units[order[i - 1]]) == 0)
			return true;
	return false;
}

static int sort_units(struct decoding *d, struct error *err)
{
	struct covpackage *package = d->package;
	cleanup_free size_t *starts = malloc((package->n_files + 2) * sizeof *starts);
	cleanup_free uint32_t *scratch = malloc((package->n_units + 1) * sizeof *scratch);
	uint32_t i;

	package->order = malloc((package->n_units + 1) * sizeof *package->order);
	if (!starts || !scratch || !package->order)
		return error_no_memory(err);
	group_by_file(package, package->order, starts);
	for (i = 0; i < package->n_files; i++) {
		uint32_t *group = package->order + starts[i];
		size_t n = starts[i + 1] - starts[i];

		unit_order_sort(group, scratch, n, d->units, NULL);
		package->repeats |= has_repeats(group, n, d->units);
	}
	return 0;
}

static int decode(struct covpackage *package, struct error *err)
{
	cleanup_decoding struct decoding d = {.package = package};

	if (package->blob_len < COVBLOB_HEADER_SIZE)
		return error_set(err, ERROR_INTERNAL, "has a package shorter than its header");
	package->claimed_functions = le32(package->blob + COVBLOB_AT_FUNCTIONS);
	if (decode_strings(&d, err) < 0 || decode_functions(&d, err) < 0 || rank_files(&d, err) < 0)
		return -1;
	return sort_units(&d, err);
}

struct covpackage *covpackage_decode(uint8_t *blob, size_t len, struct error *err)
{
	cleanup_covpackage struct covpackage *package = calloc(1, sizeof *package);

	if (!package) {
		free(blob);
		error_no_memory(err);
		return NULL;
	}
	atomic_init(&package->users, 1);
	package->blob = blob;
	package->blob_len = len;
	if (decode(package, err) < 0)
		return NULL;
	package->content_hash = covpackage_content_hash(blob, len);
	return steal_ptr(package);
}

void covpackage_units(const struct covpackage *package, struct covunit *units)
{
	uint32_t i, j;

	for (i = 0; i < package->n_functions; i++) {
		struct byte_reader r = read_at(package, package->functions[i].record_at);

		read_record_head(&r);
		for (j = 0; j < package->functions[i].n_units; j++)
			*units++ = read_unit(&r);
	}
}

int covpackage_names(const struct covpackage *package, struct covfunction_name *names,
		     struct error *err)
{
	cleanup_string_table struct string_table strings = STRING_TABLE_INIT;
	uint32_t at = COVBLOB_HEADER_SIZE + 4 * package->claimed_functions, i, j;
	struct byte_reader r = read_at(package, at);

	if (string_table_read(&strings, &r, err) < 0)
		return -1;
	for (i = 0; i < package->n_functions; i++) {
		struct record_head head;

		r = read_at(package, package->functions[i].record_at);
		head = read_record_head(&r);
		for (j = 0; j < head.n_units; j++)
			read_unit(&r);
		names[i] = (struct covfunction_name){strings.strings[head.name],
						     byte_reader_uleb(&r) != 0};
	}
	return 0;
}

struct covpackage *covpackage_use(struct covpackage *package)
{
	atomic_fetch_add(&package->users, 1);
	return package;
}

void covpackage_release(struct covpackage *package)
{
	if (!package || atomic_fetch_sub(&package->users, 1) != 1)
		return;
	free(package->blob);
	free(package->functions);
	free(package->files);
	free(package->order);
	free(package);
}

size_t covpackage_memory(const struct covpackage *package)
{
	return sizeof *package + package->blob_len +
	       package->n_functions * sizeof *package->functions +
	       package->n_files * sizeof *package->files +
	       package->n_units * sizeof *package->order;
}
