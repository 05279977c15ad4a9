/* The parts of a profile in the order in which they are printed, and what meets there. */
#include "cgi/sum/covprofile.h"

struct sorted_part {
	struct string_ref import_path;
	uint32_t part;
};

static int compare_parts(const void *a_, const void *b_)
{
	const struct sorted_part *a = a_, *b = b_;
	int order = string_ref_compare(a->import_path, b->import_path);

	return order ? order : (a->part > b->part) - (a->part < b->part);
}

uint32_t *covprofile_sorted_parts(const struct covprofile *profile, struct error *err)
{
	cleanup_free struct sorted_part *sorted = malloc((profile->n_parts + 1) * sizeof *sorted);
	uint32_t *parts = malloc((profile->n_parts + 1) * sizeof *parts), i;

	if (!sorted || !parts) {
		free(parts);
		error_no_memory(err);
		return NULL;
	}
	for (i = 0; i < profile->n_parts; i++)
		sorted[i] = (struct sorted_part){profile->parts[i].package->import_path, i};
	qsort(sorted, profile->n_parts, sizeof *sorted, compare_parts);
	for (i = 0; i < profile->n_parts; i++)
		parts[i] = sorted[i].part;
	return parts;
}

static const struct covpackage *package_at(const struct covprofile *profile, const uint32_t *sorted,
					   uint32_t i)
{
	return profile->parts[sorted[i]].package;
}

uint32_t covprofile_group_end(const struct covprofile *profile, const uint32_t *sorted,
			      uint32_t from)
{
	struct string_ref path = package_at(profile, sorted, from)->import_path;
	uint32_t end = from + 1;

	while (end < profile->n_parts &&
	       string_ref_compare(package_at(profile, sorted, end)->import_path, path) == 0)
		end++;
	return end;
}

/* Both lists of files are sorted. */
static bool share_a_file(const struct covpackage *a, const struct covpackage *b)
{
	uint32_t i = 0, j = 0;

	while (i < a->n_files && j < b->n_files) {
		int order = string_ref_compare(a->files[i], b->files[j]);

		if (order == 0)
			return true;
		i += order < 0;
		j += order > 0;
	}
	return false;
}

uint32_t covprofile_several_builds(const struct covprofile *profile, const uint32_t *sorted,
				   struct string_ref *example)
{
	uint32_t from, end, i, n = 0;

	for (from = 0; from < profile->n_parts; from = end) {
		end = covprofile_group_end(profile, sorted, from);
		for (i = from + 1; i < end; i++)
			if (share_a_file(package_at(profile, sorted, i - 1),
					 package_at(profile, sorted, i)))
				break;
		if (i < end && n++ == 0)
			*example = package_at(profile, sorted, from)->import_path;
	}
	return n;
}
