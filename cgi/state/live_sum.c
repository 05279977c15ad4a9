#include "cgi/state/live_sum.h"

#include <stdlib.h>
#include <string.h>

/* From now on nothing fails: what is taken over is taken over whole. */
static void fill(struct live_sum *sum, struct covprofile *profile, const struct live_part *parts,
		 struct load_job *jobs)
{
	size_t i;

	sum->profile = covprofile_use(profile);
	for (i = 0; i < sum->n_parts; i++)
		sum->parts[i] = (struct live_part){program_use(parts[i].program), parts[i].n_files};
	for (i = 0; i < sum->n_files; i++) {
		sum->files[i] = jobs[i].bytes;
		jobs[i].bytes = FILE_BYTES_INIT;
		sum->ignored += jobs[i].notes.ignored;
	}
}

struct live_sum *live_sum_new(struct covprofile *profile, const struct live_part *parts,
			      size_t n_parts, struct load_job *jobs, size_t n_jobs)
{
	cleanup_free struct live_part *own_parts = calloc(n_parts + 1, sizeof *own_parts);
	cleanup_free struct file_bytes *files = calloc(n_jobs + 1, sizeof *files);
	struct live_sum *sum = calloc(1, sizeof *sum);

	if (!own_parts || !files || !sum) {
		free(sum);
		return NULL;
	}
	atomic_init(&sum->users, 1);
	sum->parts = steal_ptr(own_parts);
	sum->n_parts = n_parts;
	sum->files = steal_ptr(files);
	sum->n_files = n_jobs;
	fill(sum, profile, parts, jobs);
	return sum;
}

static bool is_same_file(const struct file_bytes *a, const struct file_bytes *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

bool live_sum_repeats(const struct live_sum *sum, const struct live_part *parts, size_t n_parts,
		      const struct load_job *jobs, size_t n_jobs)
{
	size_t i;

	if (sum->n_parts != n_parts || sum->n_files != n_jobs)
		return false;
	for (i = 0; i < n_parts; i++)
		if (sum->parts[i].program != parts[i].program ||
		    sum->parts[i].n_files != parts[i].n_files)
			return false;
	for (i = 0; i < n_jobs; i++)
		if (!jobs[i].bytes.data || !is_same_file(&sum->files[i], &jobs[i].bytes))
			return false;
	return true;
}

size_t live_sum_memory(const struct live_sum *sum)
{
	size_t bytes = sizeof *sum + covprofile_memory(sum->profile), i;

	bytes += sum->n_parts * sizeof *sum->parts + sum->n_files * sizeof *sum->files;
	for (i = 0; i < sum->n_files; i++)
		bytes += file_bytes_memory(&sum->files[i]);
	return bytes;
}

struct live_sum *live_sum_use(struct live_sum *sum)
{
	if (sum)
		atomic_fetch_add(&sum->users, 1);
	return sum;
}

void live_sum_release(struct live_sum *sum)
{
	size_t i;

	if (!sum || atomic_fetch_sub(&sum->users, 1) != 1)
		return;
	covprofile_release(sum->profile);
	for (i = 0; i < sum->n_parts; i++)
		program_release(sum->parts[i].program);
	for (i = 0; i < sum->n_files; i++)
		file_bytes_free(&sum->files[i]);
	free(sum->parts);
	free(sum->files);
	free(sum);
}
