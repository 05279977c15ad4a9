/*
 * A meta-data file (covmeta.<hash>), decoded once and then immutable: the packages of one program
 * and its counter mode.  The index of a package here is the package index in the counter files of
 * the program.
 */
#ifndef GOVERAGE_FORMAT_COVMETA_H
#define GOVERAGE_FORMAT_COVMETA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/package_store.h"

enum {
	/* A file of this size would describe some ten million statement blocks. */
	COVERAGE_FILE_MAX = 64 << 20,
};

struct covmeta {
	uint8_t mode;	     /* enum counter_mode, or a number that Go doesn't write */
	uint8_t granularity; /* enum counter_granularity */
	uint32_t n_packages;
	struct covpackage **packages; /* owned; of each this is a user */
	uint32_t n_cut; /* packages of which functions are missing (covpackage_is_cut) */
};

#define COVMETA_INIT ((struct covmeta){0})

/*
 * Decode the file under fd, a regular file, read from its start.  Packages that are known come from
 * the store, the others go there.  *newer tells that the file is sound as far as can be told, but
 * of a format version that is not known here.
 *
 * -1: ERROR_INTERNAL with what is wrong with the file, ERROR_UNAVAILABLE when the machine is out of
 * something.
 */
must_check int covmeta_read(struct covmeta *meta, int fd, struct package_store *store, bool *newer,
			    struct error *err);

void covmeta_free(struct covmeta *meta);

#define cleanup_covmeta cleanup_with(covmeta_free)

/*
 * Is this version number, which is not known, one that a coming Go may write?  Where it is absurdly
 * large the file is damaged.
 */
static inline bool coverage_version_is_newer(uint32_t version)
{
	return version > COVERAGE_VERSION && version < COVERAGE_VERSION + 16;
}

#endif
