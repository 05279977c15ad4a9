#include "cgi/live/find/executable_cache.h"

#include <pthread.h>
#include <string.h>

#include "cgi/base/hash.h"

struct plain_file {
	uint64_t dev, inode, path_hash; /* inode 0 = free */
};

struct live_cache {
	atomic_uint users;
	pthread_mutex_t lock;
	uint64_t clock;					   /* one tick a use */
	struct executable *executables[CACHE_EXECUTABLES]; /* NULL = free */
	uint64_t executable_used[CACHE_EXECUTABLES];
	struct program *programs[CACHE_PROGRAMS]; /* NULL = free */
	uint64_t program_used[CACHE_PROGRAMS];
	struct file_identity program_file[CACHE_PROGRAMS]; /* what ran it last */
	size_t program_bytes;
	struct plain_file
	    plain[CACHE_PLAIN_FILES];	      /* a hash table without chains: a clash overwrites */
	struct kernel_threads kernel_threads; /* needs no lock */
	struct plain_processes plain_processes; /* nor does this */
	struct evidence_files evidence_files;	/* has a lock of its own */
	struct stuck_processes stuck;		/* so has this */
};

struct live_cache *live_cache_new(void)
{
	struct live_cache *cache = calloc(1, sizeof *cache);

	if (cache) {
		pthread_mutex_init(&cache->lock, NULL);
		evidence_files_init(&cache->evidence_files);
		stuck_processes_init(&cache->stuck);
		atomic_init(&cache->users, 1);
	}
	return cache;
}

void live_cache_free(struct live_cache *cache)
{
	unsigned i;

	if (!cache || atomic_fetch_sub(&cache->users, 1) != 1)
		return;
	for (i = 0; i < CACHE_EXECUTABLES; i++)
		executable_put(&cache->executables[i]);
	for (i = 0; i < CACHE_PROGRAMS; i++)
		program_put(&cache->programs[i]);
	stuck_processes_destroy(&cache->stuck);
	evidence_files_destroy(&cache->evidence_files);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* A free place, or the one that was used least recently. */
static unsigned oldest(const uint64_t *used, unsigned n)
{
	unsigned i, best = 0;

	for (i = 1; i < n; i++)
		if (used[i] < used[best])
			best = i;
	return best;
}

/* Locked. */
static struct executable *find_executable(struct live_cache *cache,
					  const struct file_identity *identity)
{
	unsigned i;

	for (i = 0; i < CACHE_EXECUTABLES; i++) {
		struct executable *exe = cache->executables[i];

		if (exe && file_identity_equal(&exe->identity, identity)) {
			cache->executable_used[i] = ++cache->clock;
			return executable_get(exe);
		}
	}
	return NULL;
}

struct executable *cache_find_executable(struct live_cache *cache,
					 const struct file_identity *identity)
{
	struct executable *exe;

	pthread_mutex_lock(&cache->lock);
	exe = find_executable(cache, identity);
	pthread_mutex_unlock(&cache->lock);
	return exe;
}

/* Another thread may have been as quick: then there are two for a while. */
void cache_add_executable(struct live_cache *cache, struct executable *exe)
{
	struct executable *out;
	unsigned place;

	pthread_mutex_lock(&cache->lock);
	place = oldest(cache->executable_used, CACHE_EXECUTABLES);
	out = cache->executables[place];
	cache->executables[place] = executable_get(exe);
	cache->executable_used[place] = ++cache->clock;
	pthread_mutex_unlock(&cache->lock);
	executable_put(&out);
}

struct executable *cache_executable(struct live_cache *cache, int fd,
				    const struct file_identity *identity,
				    const struct deadline *deadline, struct fault *fault)
{
	struct executable *exe = cache_find_executable(cache, identity);

	if (exe)
		return exe;
	exe = executable_read(fd, identity, deadline, fault);
	if (exe)
		cache_add_executable(cache, exe);
	return exe;
}

static struct program *find_program(struct live_cache *cache, const struct executable *exe,
				    const struct registration *registration)
{
	struct program *found = NULL;
	unsigned i;

	pthread_mutex_lock(&cache->lock);
	for (i = 0; i < CACHE_PROGRAMS && !found; i++) {
		if (!cache->programs[i] || !program_is(cache->programs[i], registration))
			continue;
		cache->program_used[i] = ++cache->clock;
		cache->program_file[i] = exe->identity;
		found = program_get(cache->programs[i]);
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

/* Locked. */
static void drop_program(struct live_cache *cache, unsigned i)
{
	if (!cache->programs[i])
		return;
	cache->program_bytes -= cache->programs[i]->registration.blobs_len;
	program_put(&cache->programs[i]);
	cache->program_used[i] = 0;
}

/* Locked.  The least recently used program that is there; CACHE_PROGRAMS when there is none. */
static unsigned oldest_program(const struct live_cache *cache)
{
	unsigned i, best = CACHE_PROGRAMS;

	for (i = 0; i < CACHE_PROGRAMS; i++)
		if (cache->programs[i] &&
		    (best == CACHE_PROGRAMS || cache->program_used[i] < cache->program_used[best]))
			best = i;
	return best;
}

static void add_program(struct live_cache *cache, const struct executable *exe,
			struct program *program)
{
	size_t bytes = program->registration.blobs_len;
	unsigned place, old;

	pthread_mutex_lock(&cache->lock);
	while (cache->program_bytes + bytes > CACHE_PROGRAM_BYTES &&
	       (old = oldest_program(cache)) < CACHE_PROGRAMS)
		drop_program(cache, old);
	place = oldest(cache->program_used, CACHE_PROGRAMS);
	drop_program(cache, place);
	cache->programs[place] = program_get(program);
	cache->program_used[place] = ++cache->clock;
	cache->program_file[place] = exe->identity;
	cache->program_bytes += bytes;
	pthread_mutex_unlock(&cache->lock);
}

struct program *cache_program(struct live_cache *cache, const struct executable *exe,
			      struct registration *registration, struct fault *fault)
{
	struct program *program = find_program(cache, exe, registration);

	if (program) {
		registration_free(registration);
		return program;
	}
	program = program_new(registration, fault);
	if (program)
		add_program(cache, exe, program);
	return program;
}

/* Locked.  The most recently used program of a file; CACHE_PROGRAMS when there is none. */
static unsigned newest_program(const struct live_cache *cache, const struct file_identity *file)
{
	unsigned i, best = CACHE_PROGRAMS;

	for (i = 0; i < CACHE_PROGRAMS; i++)
		if (cache->programs[i] && file_identity_equal(&cache->program_file[i], file) &&
		    (best == CACHE_PROGRAMS || cache->program_used[i] > cache->program_used[best]))
			best = i;
	return best;
}

struct program *cache_last_program(struct live_cache *cache, const struct executable *exe)
{
	struct program *program = NULL;
	unsigned place;

	/* what was read from memory has no identity */
	if (!exe->identity.inode)
		return NULL;
	pthread_mutex_lock(&cache->lock);
	place = newest_program(cache, &exe->identity);
	if (place < CACHE_PROGRAMS) {
		cache->program_used[place] = ++cache->clock;
		program = program_get(cache->programs[place]);
	}
	pthread_mutex_unlock(&cache->lock);
	return program;
}

static struct plain_file plain_file_of(const struct mapped_file *file)
{
	return (struct plain_file){file->dev, file->inode,
				   hash_bytes(HASH_START, file->path, strlen(file->path))};
}

bool cache_is_plain(struct live_cache *cache, const struct mapped_file *file)
{
	struct plain_file wanted = plain_file_of(file);
	const struct plain_file *place = &cache->plain[wanted.path_hash % CACHE_PLAIN_FILES];
	bool known;

	pthread_mutex_lock(&cache->lock);
	known = place->inode == wanted.inode && place->dev == wanted.dev &&
		place->path_hash == wanted.path_hash && wanted.inode != 0;
	pthread_mutex_unlock(&cache->lock);
	return known;
}

void cache_add_plain(struct live_cache *cache, const struct mapped_file *file)
{
	struct plain_file plain = plain_file_of(file);

	pthread_mutex_lock(&cache->lock);
	cache->plain[plain.path_hash % CACHE_PLAIN_FILES] = plain;
	pthread_mutex_unlock(&cache->lock);
}

struct kernel_threads *cache_kernel_threads(struct live_cache *cache)
{
	return &cache->kernel_threads;
}

struct plain_processes *cache_plain_processes(struct live_cache *cache)
{
	return &cache->plain_processes;
}

struct stuck_processes *cache_stuck_processes(struct live_cache *cache)
{
	return &cache->stuck;
}

struct live_cache *live_cache_use(struct live_cache *cache)
{
	atomic_fetch_add(&cache->users, 1);
	return cache;
}

struct evidence_files *cache_evidence_files(struct live_cache *cache)
{
	return &cache->evidence_files;
}
