/*
 * One package of a meta-data file, decoded once and then immutable: its functions, where their
 * units (statement blocks) lie in the bytes, and the order in which textfmt prints the units.
 * Programs that share a package have the same bytes for it, so packages are shared by all meta-data
 * that hold them (see package_store.h) and count their users.
 *
 * The units stay in the encoded form, which is half the size, until they are printed.
 */
#ifndef GOVERAGE_FORMAT_COVPACKAGE_H
#define GOVERAGE_FORMAT_COVPACKAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/string_table.h"
#include "cgi/format/unit_order.h"

struct covfunction {
	uint32_t record_at;  /* offset of its record in the blob */
	uint32_t file;	     /* index into the package's files */
	uint32_t first_unit; /* index in the package */
	uint32_t n_units;
};

struct covpackage {
	atomic_uint users;
	uint64_t
	    content_hash; /* of the blob without its own hash field, with which releases differ */
	uint8_t *blob;	  /* owned; everything below points into it */
	size_t blob_len;

	struct string_ref import_path;
	struct string_ref module_path; /* empty: it is of no module */
	uint32_t claimed_functions;    /* as the header says */
	uint32_t n_functions;	       /* decoded: fewer where a function record has a bad offset */
	struct covfunction *functions; /* owned */
	uint32_t n_files;
	struct string_ref *files; /* owned; source files in byte order, each once */
	uint32_t n_units;
	uint32_t *order; /* owned; the units as textfmt sorts them */
	bool repeats;	 /* two units have the same position: they may have to be joined */
};

/* A hash of a blob that is equal for equal packages whichever Go release has written them. */
uint64_t covpackage_content_hash(const uint8_t *blob, size_t len);

/* Does the package have this content, which has this hash? */
bool covpackage_has(const struct covpackage *package, uint64_t hash, const uint8_t *blob,
		    size_t len);

/*
 * Decode the blob, of which the package becomes the owner (on error too).  NULL: ERROR_INTERNAL
 * with what is damaged, ERROR_UNAVAILABLE when out of memory.  What comes back has one user.
 */
must_check struct covpackage *covpackage_decode(uint8_t *blob, size_t len, struct error *err);

/* Is the last function record that the header promises missing, with all behind it? */
static inline bool covpackage_is_cut(const struct covpackage *package)
{
	return package->n_functions < package->claimed_functions;
}

/* Decode all units, in the order of the file, into units[package->n_units]. */
void covpackage_units(const struct covpackage *package, struct covunit *units);

/* What tells the functions of a source file from one another for covdata. */
struct covfunction_name {
	struct string_ref name;
	bool literal; /* a function literal that initialises a package-level variable */
};

/* The names of all functions into names[package->n_functions].  -1 when out of memory. */
must_check int covpackage_names(const struct covpackage *package, struct covfunction_name *names,
				struct error *err);

struct covpackage *covpackage_use(struct covpackage *package);
void covpackage_release(struct covpackage *package);

/* Bytes of memory that it takes. */
size_t covpackage_memory(const struct covpackage *package);

static inline void cleanup_covpackage_fn(struct covpackage **package)
{
	covpackage_release(*package);
}

#define cleanup_covpackage cleanup_with(cleanup_covpackage_fn)

#endif
