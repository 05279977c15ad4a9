#include "cgi/sum/covprofile.h"

#include <string.h>

#include "cgi/format/covcounters.h"

/* One with its own, or another's, which is used. */
static struct covprofile *new_profile(struct covprofile_derived *derived, struct error *err)
{
	struct covprofile *profile = calloc(1, sizeof *profile);

	if (profile && derived)
		atomic_fetch_add(&derived->users, 1);
	if (profile && !derived) {
		derived = calloc(1, sizeof *derived);
		if (derived)
			atomic_init(&derived->users, 1);
	}
	if (!profile || !derived) {
		free(profile);
		error_no_memory(err);
		return NULL;
	}
	atomic_init(&profile->users, 1);
	profile->derived = derived;
	return profile;
}

struct covprofile *covprofile_new(struct error *err)
{
	return new_profile(NULL, err);
}

/* As a rule equal packages are one; where nothing is kept between requests they are decoded
 * again. */
static bool is_same(const struct covpackage *a, const struct covpackage *b)
{
	return a == b || covpackage_has(a, b->content_hash, b->blob, b->blob_len);
}

/* Where the package is in the hash table, or where it would go. */
static uint32_t find_slot(const struct covprofile *profile, const struct covpackage *package)
{
	uint32_t mask = profile->n_slots - 1;
	uint32_t at = (uint32_t)(package->content_hash >> 20) & mask;

	while (profile->slots[at] &&
	       !is_same(profile->parts[profile->slots[at] - 1].package, package))
		at = (at + 1) & mask;
	return at;
}

/* A new hash table over all parts. */
static int make_slots(struct covprofile *profile, uint32_t n_slots)
{
	uint32_t i, *slots = calloc(n_slots, sizeof *slots);

	if (!slots)
		return -1;
	free(profile->slots);
	profile->slots = slots;
	profile->n_slots = n_slots;
	for (i = 0; i < profile->n_parts; i++)
		slots[find_slot(profile, profile->parts[i].package)] = i + 1;
	return 0;
}

/* Room for n more parts. */
static int reserve_parts(struct covprofile *profile, uint32_t n)
{
	uint32_t need = profile->n_parts + n, n_slots = profile->n_slots ? profile->n_slots : 64;
	struct profile_part *parts;

	while (n_slots / 2 < need)
		n_slots *= 2;
	if (n_slots != profile->n_slots && make_slots(profile, n_slots) < 0)
		return -1;
	if (need <= profile->parts_cap)
		return 0;
	parts = realloc(profile->parts, need * sizeof *parts);
	if (!parts)
		return -1;
	profile->parts = parts;
	profile->parts_cap = need;
	return 0;
}

/* The array is made as long as n_counters says; there is one even for none. */
int covprofile_make_counters(struct covprofile *profile, size_t from, struct error *err)
{
	uint32_t *counters;

	if (!profile->counters || profile->n_counters > profile->counters_cap) {
		counters = realloc(profile->counters,
				   (profile->n_counters + COUNTERS_SLACK) * sizeof *counters);
		if (!counters)
			return error_no_memory(err);
		profile->counters = counters;
		profile->counters_cap = profile->n_counters;
	}
	memset(profile->counters + from, 0,
	       (profile->n_counters + COUNTERS_SLACK - from) * sizeof *profile->counters);
	return 0;
}

static size_t add_package(struct covprofile *profile, struct covpackage *package)
{
	uint32_t slot = find_slot(profile, package);
	size_t first = profile->n_counters;

	if (profile->slots[slot])
		return profile->parts[profile->slots[slot] - 1].first_counter;
	profile->parts[profile->n_parts++] = (struct profile_part){covpackage_use(package), first};
	profile->slots[slot] = profile->n_parts;
	profile->n_counters += package->n_units;
	return first;
}

static int join_modes(struct covprofile *profile, const struct covmeta *meta, struct error *err)
{
	if (!profile->mode) {
		profile->mode = meta->mode;
		profile->granularity = meta->granularity;
		return 0;
	}
	if (profile->granularity != meta->granularity)
		return error_set(
		    err, ERROR_CONFLICT,
		    "programs with a counter for each block and programs with a counter "
		    "for each function lie together: keep them in different directories");
	profile->mixed_modes |= profile->mode != meta->mode;
	return 0;
}

static void release_derived(struct covprofile_derived *derived)
{
	void *made;

	if (atomic_fetch_sub(&derived->users, 1) != 1)
		return;
	made = atomic_load(&derived->made);
	if (made)
		atomic_load (&derived->free_made)(made);
	free(derived);
}

int covprofile_part_derived(struct covprofile *profile, struct error *err)
{
	struct covprofile_derived *own = calloc(1, sizeof *own);

	if (!own)
		return error_no_memory(err);
	atomic_init(&own->users, 1);
	atomic_init(&own->limit, atomic_load(&profile->derived->limit));
	release_derived(profile->derived);
	profile->derived = own;
	return 0;
}

void *covprofile_derive(struct covprofile *profile,
			void *(*make)(const struct covprofile *profile, size_t limit,
				      size_t *bytes),
			void (*free_made)(void *))
{
	struct covprofile_derived *derived = profile->derived;
	size_t limit = atomic_load(&derived->limit), bytes;
	void *made = atomic_load(&derived->made), *there = NULL;

	if (made || !limit || atomic_fetch_add(&derived->asked, 1) == 0)
		return made;
	made = make(profile, limit, &bytes);
	atomic_store(&derived->free_made, free_made);
	if (!made || atomic_compare_exchange_strong(&derived->made, &there, made)) {
		atomic_store(&derived->bytes, made ? bytes : 0);
		return made;
	}
	/* another thread was quicker */
	free_made(made);
	return there;
}

int covprofile_add_program(struct covprofile *profile, const struct covmeta *meta, size_t *first,
			   struct error *err)
{
	uint32_t n_parts = profile->n_parts, i;
	size_t before = profile->n_counters;

	if (join_modes(profile, meta, err) < 0)
		return -1;
	if (reserve_parts(profile, meta->n_packages) < 0)
		return error_no_memory(err);
	for (i = 0; i < meta->n_packages; i++)
		first[i] = add_package(profile, meta->packages[i]);
	if (profile->n_parts > n_parts && covprofile_part_derived(profile, err) < 0)
		return -1;
	/* merging counts in 32 bits: that would be 16 GiB of counters */
	if (profile->n_counters > UINT32_MAX)
		return error_no_memory(err);
	return covprofile_make_counters(profile, before, err);
}

struct covprofile *covprofile_copy_parts(const struct covprofile *profile, struct error *err)
{
	cleanup_covprofile struct covprofile *copy = new_profile(profile->derived, err);
	uint32_t i;

	if (!copy)
		return NULL;
	copy->mode = profile->mode;
	copy->granularity = profile->granularity;
	copy->mixed_modes = profile->mixed_modes;
	if (reserve_parts(copy, profile->n_parts) < 0) {
		error_no_memory(err);
		return NULL;
	}
	for (i = 0; i < profile->n_parts; i++)
		add_package(copy, profile->parts[i].package);
	return steal_ptr(copy);
}

struct covprofile *covprofile_copy(const struct covprofile *profile, struct error *err)
{
	cleanup_covprofile struct covprofile *copy = covprofile_copy_parts(profile, err);

	if (!copy || covprofile_make_counters(copy, copy->n_counters, err) < 0)
		return NULL;
	if (copy->n_counters)
		memcpy(copy->counters, profile->counters,
		       copy->n_counters * sizeof *copy->counters);
	return steal_ptr(copy);
}

bool profile_parts_equal(const struct profile_part *a, const struct profile_part *b, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (a[i].package != b[i].package || a[i].first_counter != b[i].first_counter)
			return false;
	return true;
}

bool covprofile_same_counters(const struct covprofile *a, const struct covprofile *b)
{
	return a->mode == b->mode && a->granularity == b->granularity &&
	       a->mixed_modes == b->mixed_modes && a->n_parts == b->n_parts &&
	       profile_parts_equal(a->parts, b->parts, a->n_parts);
}

ssize_t covprofile_find(const struct covprofile *profile, const struct covpackage *package)
{
	uint32_t part;

	if (!profile->n_slots)
		return -1;
	part = profile->slots[find_slot(profile, package)];
	return part ? (ssize_t)profile->parts[part - 1].first_counter : -1;
}

struct covprofile *covprofile_use(struct covprofile *profile)
{
	atomic_fetch_add(&profile->users, 1);
	return profile;
}

void covprofile_release(struct covprofile *profile)
{
	uint32_t i;

	if (!profile || atomic_fetch_sub(&profile->users, 1) != 1)
		return;
	for (i = 0; i < profile->n_parts; i++)
		covpackage_release(profile->parts[i].package);
	free(profile->parts);
	free(profile->slots);
	free(profile->counters);
	free(atomic_load(&profile->summary));
	release_derived(profile->derived);
	free(profile);
}

size_t covprofile_memory(const struct covprofile *profile)
{
	return sizeof *profile + profile->parts_cap * sizeof *profile->parts +
	       profile->n_slots * sizeof *profile->slots +
	       profile->counters_cap * sizeof *profile->counters;
}
