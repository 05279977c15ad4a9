#include "cgi/state/kept.h"

#include <string.h>

int kept_begin(struct kept *kept, struct error *err)
{
	*kept = KEPT_INIT;
	kept->profile = covprofile_new(err);
	return kept->profile ? 0 : -1;
}

const struct kept_program *kept_find(const struct kept *kept, const struct program *program)
{
	size_t i;

	for (i = 0; i < kept->n_programs; i++)
		if (kept->programs[i].program == program)
			return &kept->programs[i];
	return NULL;
}

int kept_add_program(struct kept *kept, struct program *program, struct error *err)
{
	struct kept_program *programs;
	cleanup_free size_t *first = calloc(program->meta.n_packages + 1, sizeof *first);

	programs = reallocarray(kept->programs, kept->n_programs + 1, sizeof *programs);
	if (programs)
		kept->programs = programs;
	if (!programs || !first)
		return error_no_memory(err);
	if (covprofile_add_program(kept->profile, &program->meta, first, err) < 0)
		return -1;
	programs[kept->n_programs++] =
	    (struct kept_program){program_use(program), steal_ptr(first)};
	return 0;
}

bool kept_is_named(const struct kept_file *file, const struct coverage_file *input)
{
	return file->dir == input->dir && strcmp(file->name, input->name) == 0;
}

bool kept_is_unchanged(const struct kept_file *file, const struct file_identity *identity)
{
	return memcmp(&file->identity, identity, sizeof *identity) == 0;
}

size_t kept_memory(const struct kept *kept)
{
	size_t bytes = 0, i;

	if (kept->profile)
		bytes +=
		    covprofile_memory(kept->profile) + atomic_load(&kept->profile->derived->bytes);

	for (i = 0; i < kept->n_programs; i++)
		bytes += sizeof kept->programs[i] + kept->programs[i].program->meta.n_packages *
							sizeof *kept->programs[i].first;
	bytes += kept->n_files * sizeof *kept->files + kept->names_size;
	if (kept->live)
		bytes += live_sum_memory(kept->live);
	return bytes;
}

static void free_files(struct kept *kept)
{
	size_t i;

	for (i = 0; i < kept->n_files; i++) {
		free(kept->files[i].name);
		free(kept->files[i].reason);
	}
	free(kept->files);
}

void kept_take_files(struct kept *kept, struct kept_file *files, size_t n)
{
	size_t i;

	free_files(kept);
	kept->files = files;
	kept->n_files = n;
	kept->names_size = 0;
	for (i = 0; i < n; i++)
		kept->names_size += strlen(files[i].name) + 1;
}

void kept_free(struct kept *kept)
{
	size_t i;

	live_sum_release(kept->live);
	covprofile_release(kept->profile);
	for (i = 0; i < kept->n_programs; i++) {
		program_release(kept->programs[i].program);
		free(kept->programs[i].first);
	}
	free_files(kept);
	free(kept->programs);
	*kept = KEPT_INIT;
}
