/*
 * The packages that are known by now, each once.  Programs that share a package have the same bytes
 * for it; decoding and sorting it a second time would be most of the work for a directory of many
 * programs. Not locked: the owner sees to that.
 */
#ifndef GOVERAGE_FORMAT_PACKAGE_STORE_H
#define GOVERAGE_FORMAT_PACKAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/covpackage.h"

struct package_store {
	struct covpackage **slots; /* owned; a hash table with open addressing, NULL = free */
	size_t n_slots;		   /* a power of two, or 0 */
	size_t n;		   /* packages, of each of which the store is a user */
	size_t bytes;		   /* of memory that all of it takes */
};

#define PACKAGE_STORE_INIT ((struct package_store){0})

/*
 * The package with these bytes (the hash field inside the blob aside), decoded now if it is new.
 * The caller becomes a user of it.  NULL as covpackage_decode().
 */
must_check struct covpackage *package_store_get(struct package_store *store, const uint8_t *blob,
						size_t len, struct error *err);

/* Let go of the packages that nobody else uses. */
void package_store_sweep(struct package_store *store);

void package_store_free(struct package_store *store);

#define cleanup_package_store cleanup_with(package_store_free)

#endif
