/* What is told of a whole profile: made once, since it takes a walk through all counters. */
#include <stdio.h>
#include <stdlib.h>

#include "cgi/sum/covprofile.h"

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdu;
	return hash ^ hash >> 32;
}

/* Two hashes of 64 bits side by side. */
struct digest {
	uint64_t a, b;
};

static inline struct digest mix_in(struct digest hash, uint64_t word)
{
	return (struct digest){mix(hash.a, word), mix(hash.b, word)};
}

/* Two counters. */
static inline uint64_t pair_at(const uint32_t *counters)
{
	return counters[0] | (uint64_t)counters[1] << 32;
}

static struct digest hash_counters(struct digest hash, const uint32_t *counters, uint32_t n)
{
	/* a multiplication waits for the one before it, but not for those of the other hashes */
	struct digest first = mix_in(hash, 1), second = mix_in(hash, 2), third = mix_in(hash, 3);

	for (; n >= 8; n -= 8, counters += 8) {
		hash = mix_in(hash, pair_at(counters));
		first = mix_in(first, pair_at(counters + 2));
		second = mix_in(second, pair_at(counters + 4));
		third = mix_in(third, pair_at(counters + 6));
	}
	hash = (struct digest){mix(hash.a, first.a), mix(hash.b, first.b)};
	hash = (struct digest){mix(hash.a, second.a), mix(hash.b, second.b)};
	hash = (struct digest){mix(hash.a, third.a), mix(hash.b, third.b)};
	for (; n; n--)
		hash = mix_in(hash, *counters++);
	return hash;
}

static struct digest hash_part(const struct covprofile *profile, const struct profile_part *part)
{
	uint64_t content = part->package->content_hash;
	struct digest hash = {mix(0x9ae16a3b2f90404fu, content), mix(0xc3a5c85c97cb3127u, content)};

	return hash_counters(hash, profile->counters + part->first_counter, part->package->n_units);
}

/* The order in which programs were added does not matter: the hashes of the packages are added
 * up. */
static void write_digest(const struct covprofile *profile, char out[33])
{
	struct digest sum = {0, 0};
	uint32_t i;

	for (i = 0; i < profile->n_parts; i++) {
		struct digest part = hash_part(profile, &profile->parts[i]);

		sum = (struct digest){sum.a + part.a, sum.b + part.b};
	}
	sum.a = mix(sum.a, covprofile_is_set(profile) ? COUNTER_MODE_SET : profile->mode);
	snprintf(out, 33, "%016llx%016llx", (unsigned long long)sum.a, (unsigned long long)sum.b);
}

static struct covprofile_summary *make(const struct covprofile *profile, struct error *err)
{
	cleanup_free uint32_t *sorted = covprofile_sorted_parts(profile, err);
	struct covprofile_summary *summary;

	if (!sorted)
		return NULL;
	summary = calloc(1, sizeof *summary);
	if (!summary) {
		error_no_memory(err);
		return NULL;
	}
	summary->several_builds = covprofile_several_builds(profile, sorted, &summary->an_example);
	write_digest(profile, summary->digest);
	return summary;
}

const struct covprofile_summary *covprofile_summary(struct covprofile *profile, struct error *err)
{
	struct covprofile_summary *summary = atomic_load(&profile->summary), *first = NULL;

	if (summary)
		return summary;
	summary = make(profile, err);
	if (!summary || atomic_compare_exchange_strong(&profile->summary, &first, summary))
		return summary;
	/* another thread was quicker */
	free(summary);
	return first;
}

void covprofile_forget_summary(struct covprofile *profile)
{
	free(atomic_exchange(&profile->summary, NULL));
}
