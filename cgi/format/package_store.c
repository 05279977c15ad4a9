#include "cgi/format/package_store.h"

#include <string.h>

/* Where the package with this content is, or where it would go. */
static size_t find_slot(struct covpackage *const *slots, size_t n_slots, uint64_t hash,
			const uint8_t *blob, size_t len)
{
	size_t at = hash & (n_slots - 1);

	while (slots[at] && !covpackage_has(slots[at], hash, blob, len))
		at = (at + 1) & (n_slots - 1);
	return at;
}

/* Move the packages into a table of n_slots, without those that only the store uses if asked to. */
static int rebuild(struct package_store *store, size_t n_slots, bool sweep)
{
	struct covpackage **slots = calloc(n_slots, sizeof *slots);
	size_t i, n = 0, bytes = n_slots * sizeof *slots;

	if (!slots)
		return -1;
	for (i = 0; i < store->n_slots; i++) {
		struct covpackage *package = store->slots[i];

		if (!package)
			continue;
		if (sweep && atomic_load(&package->users) == 1) {
			covpackage_release(package);
			continue;
		}
		slots[find_slot(slots, n_slots, package->content_hash, package->blob,
				package->blob_len)] = package;
		bytes += covpackage_memory(package);
		n++;
	}
	free(store->slots);
	*store = (struct package_store){slots, n_slots, n, bytes};
	return 0;
}

struct covpackage *package_store_get(struct package_store *store, const uint8_t *blob, size_t len,
				     struct error *err)
{
	cleanup_free uint8_t *copy = NULL;
	struct covpackage *package;
	size_t slot;

	if (len < COVBLOB_HEADER_SIZE) {
		error_set(err, ERROR_INTERNAL, "has a package shorter than its header");
		return NULL;
	}
	if (store->n * 2 >= store->n_slots &&
	    rebuild(store, store->n_slots ? store->n_slots * 2 : 256, false) < 0) {
		error_no_memory(err);
		return NULL;
	}
	slot =
	    find_slot(store->slots, store->n_slots, covpackage_content_hash(blob, len), blob, len);
	if (store->slots[slot])
		return covpackage_use(store->slots[slot]);
	copy = malloc(len);
	if (!copy) {
		error_no_memory(err);
		return NULL;
	}
	memcpy(copy, blob, len);
	package = covpackage_decode(steal_ptr(copy), len, err);
	if (!package)
		return NULL;
	store->slots[slot] = package;
	store->n++;
	store->bytes += covpackage_memory(package);
	return covpackage_use(package);
}

void package_store_sweep(struct package_store *store)
{
	/* without memory for the smaller table the packages just stay */
	if (store->n_slots && rebuild(store, store->n_slots, true) < 0)
		return;
}

void package_store_free(struct package_store *store)
{
	size_t i;

	for (i = 0; i < store->n_slots; i++)
		covpackage_release(store->slots[i]);
	free(store->slots);
	*store = PACKAGE_STORE_INIT;
}
