#include "cgi/live/go/program.h"

#include <stdio.h>
#include <string.h>

#include "cgi/live/go/package_blob.h"

enum { AT_STRINGS = 40 }; /* u32 offset and u32 length of the string table of a covmeta file */

static bool sets_mode(uint8_t mode)
{
	return mode != COUNTER_MODE_REGONLY && mode != COUNTER_MODE_TESTMAIN;
}

static void find_mode(struct program *program)
{
	const struct registration *r = &program->registration;
	uint32_t i;

	for (i = 0; i < r->n && !program->mode; i++)
		if (sets_mode(r->packages[i].mode))
			program->mode = r->packages[i].mode;
	program->granularity = r->packages[0].granularity;
}

static int read_packages(struct program *program, struct fault *fault)
{
	const struct registration *r = &program->registration;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		struct program_package *package = &program->packages[i];

		if (package_blob_units(r->blobs + r->packages[i].blob_at, r->packages[i].blob_len,
				       &package->units, &package->n_functions, fault) < 0)
			return -1;
		program->functions += package->n_functions;
		if (r->packages[i].hard_id != REGISTRATION_NO_ID)
			program->hard_ids[program->n_hard_ids++] =
			    (struct hard_id){r->packages[i].hard_id, i};
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct hard_id *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* The smallest package with a function: enough to tell how its hash was made. */
static uint32_t sample(const struct program *program)
{
	const struct registration *r = &program->registration;
	uint32_t i, best = 0;

	for (i = 1; i < r->n; i++)
		if (program->packages[i].n_functions &&
		    (!program->packages[best].n_functions ||
		     r->packages[i].blob_len < r->packages[best].blob_len))
			best = i;
	return best;
}

static int find_hash_kind(const struct program *program, enum coverage_hash_kind *kind,
			  struct fault *fault)
{
	static const enum coverage_hash_kind kinds[] = {COVERAGE_HASH_FNV, COVERAGE_HASH_MD5};
	const struct registration *r = &program->registration;
	const struct registered_package *package = &r->packages[sample(program)];
	const unsigned char *blob = r->blobs + package->blob_at;
	unsigned char hash[COVERAGE_HASH_SIZE];
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (package_blob_hash(blob, package->blob_len, kinds[i], hash, fault) < 0)
			return -1;
		if (memcmp(hash, blob + COVBLOB_AT_HASH, sizeof hash) == 0) {
			*kind = kinds[i];
			return 0;
		}
	}
	return fault_set(fault, FAULT_UNSUPPORTED,
			 "its meta-data carry a hash of an unknown kind (a newer Go release?)");
}

static void write_hex(char *out, const unsigned char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int find_hash(struct program *program, struct fault *fault)
{
	const struct registration *r = &program->registration;
	const char *mode = counter_mode_name(program->mode);
	const char *granularity =
	    program->granularity == GRANULARITY_PERFUNC ? "perfunc" : "perblock";
	struct coverage_hash hash;
	enum coverage_hash_kind kind = COVERAGE_HASH_MD5;
	uint32_t i;

	if (find_hash_kind(program, &kind, fault) < 0)
		return -1;
	coverage_hash_start(&hash, kind);
	for (i = 0; i < r->n; i++)
		coverage_hash_add(&hash, r->blobs + r->packages[i].blob_at + COVBLOB_AT_HASH,
				  COVERAGE_HASH_SIZE);
	coverage_hash_add(&hash, mode, strlen(mode));
	coverage_hash_add(&hash, granularity, strlen(granularity));
	coverage_hash_end(&hash, program->hash);
	write_hex(program->hex, program->hash, sizeof program->hash);
	return 0;
}

static int understand(struct program *program, struct fault *fault)
{
	const struct registration *r = &program->registration;

	find_mode(program);
	if (!program->mode)
		return fault_set(fault, FAULT_UNSUPPORTED, "none of its packages has counters");
	program->packages = calloc(r->n, sizeof *program->packages);
	program->hard_ids = calloc(r->n, sizeof *program->hard_ids);
	if (!program->packages || !program->hard_ids)
		return fault_no_memory(fault);
	if (read_packages(program, fault) < 0)
		return -1;
	qsort(program->hard_ids, program->n_hard_ids, sizeof *program->hard_ids, by_id);
	program->meta_size = COVMETA_HEADER_SIZE + 16 * (size_t)r->n + 2 + r->blobs_len;
	return find_hash(program, fault);
}

struct program *program_new(struct registration *registration, struct fault *fault)
{
	cleanup_program struct program *program = calloc(1, sizeof *program);

	if (!program) {
		fault_no_memory(fault);
		return NULL;
	}
	atomic_init(&program->users, 1);
	program->registration = *registration;
	*registration = REGISTRATION_INIT;
	if (understand(program, fault) < 0)
		return NULL;
	return steal_ptr(program);
}

bool program_is(const struct program *program, const struct registration *registration)
{
	const struct registration *own = &program->registration;
	uint32_t i;

	if (own->n != registration->n || own->blobs_len != registration->blobs_len)
		return false;
	for (i = 0; i < own->n; i++) {
		const struct registered_package *a = &own->packages[i];
		const struct registered_package *b = &registration->packages[i];

		if (a->blob_len != b->blob_len || a->hard_id != b->hard_id || a->mode != b->mode ||
		    a->granularity != b->granularity)
			return false;
	}
	return memcmp(own->blobs, registration->blobs, own->blobs_len) == 0;
}

int64_t program_package_index(const struct program *program, int32_t id)
{
	struct hard_id wanted = {id, 0}, *found;

	if (id >=
	    0) /* 0: ran before its package had registered; the runtime takes package 0, too */
		return id == 0 ? 0 : (uint32_t)id <= program->registration.n ? id - 1 : -1;
	found = bsearch(&wanted, program->hard_ids, program->n_hard_ids, sizeof wanted, by_id);
	return found ? (int64_t)found->index : -1;
}

static void put_le(unsigned char *out, uint64_t value, unsigned bytes)
{
	unsigned i;

	for (i = 0; i < bytes; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

static void write_table(const struct program *program, struct buffer *out)
{
	const struct registration *r = &program->registration;
	uint64_t first = COVMETA_HEADER_SIZE + 16 * (uint64_t)r->n + 2;
	unsigned char word[8];
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		put_le(word, first + r->packages[i].blob_at, 8);
		buffer_append(out, word, sizeof word);
	}
	for (i = 0; i < r->n; i++) {
		put_le(word, r->packages[i].blob_len, 8);
		buffer_append(out, word, sizeof word);
	}
}

void program_write_meta(const struct program *program, struct buffer *out)
{
	static const unsigned char no_strings[] = {1, 0}; /* one string, the empty one */
	const struct registration *r = &program->registration;
	unsigned char header[COVMETA_HEADER_SIZE] = COVMETA_MAGIC;

	put_le(header + COVMETA_AT_VERSION, COVERAGE_VERSION, 4);
	put_le(header + COVMETA_AT_LENGTH, program->meta_size, 8);
	put_le(header + COVMETA_AT_PACKAGES, r->n, 8);
	memcpy(header + COVMETA_AT_HASH, program->hash, sizeof program->hash);
	put_le(header + AT_STRINGS, COVMETA_HEADER_SIZE + 16 * (uint64_t)r->n, 4);
	put_le(header + AT_STRINGS + 4, sizeof no_strings, 4);
	header[COVMETA_AT_MODE] = program->mode;
	header[COVMETA_AT_GRANULARITY] = program->granularity;
	buffer_append(out, header, sizeof header);
	write_table(program, out);
	buffer_append(out, no_strings, sizeof no_strings);
	buffer_append(out, r->blobs, r->blobs_len);
}

struct program *program_get(struct program *program)
{
	atomic_fetch_add(&program->users, 1);
	return program;
}

void program_put(struct program **program)
{
	struct program *last = *program;
	uint32_t i;

	*program = NULL;
	if (!last || atomic_fetch_sub(&last->users, 1) != 1)
		return;
	for (i = 0; last->packages && i < last->registration.n; i++)
		free(last->packages[i].units);
	free(last->packages);
	free(last->hard_ids);
	registration_free(&last->registration);
	free(last);
}
