#include "cgi/sum/program.h"

#include <string.h>

#include "cgi/directory/coverage_names.h"
#include "cgi/directory/input_read.h"

enum { IDLE_MAX = 64 }; /* requests for which a program is kept that nobody else uses */

/* One that could not be read is forgotten: it is tried again. */
static struct program *find(struct program_cache *cache, const struct input_file *meta,
			    const struct file_identity *identity)
{
	struct program **at = &cache->first, *program;

	for (; (program = *at); at = &program->next)
		if (memcmp(&program->identity, identity, sizeof *identity) == 0 &&
		    coverage_tag_is(meta->file, program->tag))
			break;
	if (program && program->unread) {
		*at = program->next;
		program_release(program);
		program = NULL;
	}
	return program;
}

static int read_meta(struct program_cache *cache, const struct input_file *input,
		     struct program *program, bool *gone, struct error *err)
{
	cleanup_fd int fd = input_open(input, gone, err);

	if (fd < 0)
		return -1;
	return covmeta_read(&program->meta, fd, &cache->packages, &program->newer, err);
}

static struct program *new_program(const struct input_file *meta,
				   const struct file_identity *identity, struct error *err)
{
	struct program *program = calloc(1, sizeof *program);

	if (program)
		program->tag = strndup(coverage_tag(meta->file), meta->file->tag_len);
	if (!program || !program->tag) {
		free(program);
		error_no_memory(err);
		return NULL;
	}
	atomic_init(&program->users, 1);
	program->identity = *identity;
	return program;
}

static void cleanup_program_fn(struct program **program)
{
	program_release(*program);
}

/* -1 with *gone, or when out of something; a damaged file becomes a program with a reason. */
static int read_program(struct program_cache *cache, const struct input_file *meta,
			struct program **out, bool *gone, struct error *err)
{
	cleanup_with(cleanup_program_fn) struct program *program = NULL;
	struct file_identity identity;

	if (input_identify(meta, &identity, gone, err) < 0) {
		if (*gone || err->class != ERROR_INTERNAL)
			return -1;
		identity = (struct file_identity){0};
	}
	*out = find(cache, meta, &identity);
	if (*out)
		return 0;
	program = new_program(meta, &identity, err);
	if (!program)
		return -1;
	if (read_meta(cache, meta, program, gone, err) < 0) {
		if (*gone || err->class != ERROR_INTERNAL)
			return -1;
		program->reason = strdup(err->message);
		program->unread = err->errnum != 0;
		if (!program->reason)
			return error_no_memory(err);
	}
	program->next = cache->first;
	cache->first = program;
	*out = steal_ptr(program);
	return 0;
}

int program_cache_get(struct program_cache *cache, const struct input_file *meta,
		      struct program **program, struct error *err)
{
	struct error why = {0};
	bool gone = false;

	*program = NULL;
	if (read_program(cache, meta, program, &gone, &why) < 0) {
		if (gone)
			return 0;
		if (err)
			*err = why;
		return -1;
	}
	program_cache_use(cache, *program);
	program_use(*program);
	return 0;
}

void program_cache_use(const struct program_cache *cache, struct program *program)
{
	program->used_at = cache->clock;
}

static bool is_idle(const struct program_cache *cache, const struct program *program)
{
	return program->used_at + IDLE_MAX < cache->clock && atomic_load(&program->users) == 1;
}

void program_cache_tick(struct program_cache *cache)
{
	struct program **at = &cache->first, *program;
	bool dropped = false;

	cache->clock++;
	while ((program = *at))
		if (is_idle(cache, program)) {
			*at = program->next;
			program_release(program);
			dropped = true;
		} else {
			at = &program->next;
		}
	if (dropped)
		package_store_sweep(&cache->packages);
}

bool program_cache_drop_oldest(struct program_cache *cache)
{
	struct program **at, **oldest = NULL, *program;

	for (at = &cache->first; *at; at = &(*at)->next)
		if ((*at)->used_at < cache->clock &&
		    (!oldest || (*at)->used_at < (*oldest)->used_at))
			oldest = at;
	if (!oldest)
		return false;
	program = *oldest;
	*oldest = program->next;
	program_release(program);
	package_store_sweep(&cache->packages);
	return true;
}

size_t program_cache_memory(const struct program_cache *cache)
{
	size_t bytes = cache->packages.bytes;
	const struct program *program;

	for (program = cache->first; program; program = program->next)
		bytes +=
		    sizeof *program + program->meta.n_packages * sizeof *program->meta.packages;
	return bytes;
}

void program_cache_free(struct program_cache *cache)
{
	struct program *program;

	while ((program = cache->first)) {
		cache->first = program->next;
		program_release(program);
	}
	package_store_free(&cache->packages);
	*cache = PROGRAM_CACHE_INIT;
}

struct program *program_use(struct program *program)
{
	atomic_fetch_add(&program->users, 1);
	return program;
}

void program_release(struct program *program)
{
	if (!program || atomic_fetch_sub(&program->users, 1) != 1)
		return;
	covmeta_free(&program->meta);
	free(program->tag);
	free(program->reason);
	free(program);
}
