#include "cgi/live/snapshot/program_snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cgi/live/snapshot/counter_copy.h"

enum {
	HASH_SEARCH_MAX = 64 << 10, /* bytes of .noptrbss; the hash lies near its start */
	SETTLE_TRIES = 3,	    /* without a change */
	SETTLE_TRIES_MAX = 10,
	SETTLE_PAUSE_MS = 10,
};

bool program_has_meta(const struct program *program, const struct watched_dirs *watched)
{
	char name[16 + HASH_HEX_SIZE];
	struct stat st;
	unsigned i;

	snprintf(name, sizeof name, "covmeta.%s", program->hex);
	for (i = 0; i < watched->n; i++)
		if (watched->dirs[i].fd >= 0 && fstatat(watched->dirs[i].fd, name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode) && (uint64_t)st.st_size == program->meta_size)
			return true;
	return false;
}

/* Has the program worked out this very hash itself?  It does so when all packages have
 * registered. */
static int holds_hash(const struct program *program, const struct moduledata *module,
		      const struct memory *memory, struct fault *fault)
{
	uint64_t size = module->enoptrbss - module->noptrbss;
	size_t n = size < HASH_SEARCH_MAX ? (size_t)size : HASH_SEARCH_MAX;
	cleanup_free unsigned char *data = malloc(n ? n : 1);

	if (!data)
		return fault_no_memory(fault);
	if (memory_read(memory, module->noptrbss, data, n, fault) < 0)
		return fault->kind == FAULT_UNMAPPED ? 0 : -1;
	return n && memmem(data, n, program->hash, sizeof program->hash) != NULL;
}

struct taking {
	struct live_cache *cache;
	const struct module *head;
	const struct watched_dirs *watched;
	const struct memory *memory;
	const struct deadline *deadline;
	struct fault *fault;
};

static struct program *read_program(const struct taking *t)
{
	cleanup_registration struct registration registration = REGISTRATION_INIT;
	struct executable *exe = t->head->exe;
	cleanup_program struct program *known = cache_last_program(t->cache, exe);

	if (registration_read(&registration, exe, t->head->bias, &t->head->data, t->memory,
			      known ? &known->registration : NULL, t->deadline, t->fault) < 0)
		return NULL;
	if (known && !registration.blobs)
		return steal_ptr(known);
	return cache_program(t->cache, exe, &registration, t->fault);
}

static void pause_a_while(void)
{
	struct timespec pause = {0, SETTLE_PAUSE_MS * 1000000L};

	nanosleep(&pause, NULL);
}

/*
 * A program that is still starting has registered only some of its packages.  It is taken as
 * complete when its meta-data file is there, when it has the hash in its memory, or when its list
 * has not changed for a while: programs whose main package is not instrumented never work out a
 * hash.  One that changes all the time is taken as it is: what it lacks, it has not executed.
 */
static struct program *read_settled_program(const struct taking *t)
{
	struct program *program = read_program(t);
	unsigned tries = 0, all_tries = 0;

	while (program && !atomic_load(&program->settled) && all_tries++ < SETTLE_TRIES_MAX) {
		struct program *again;
		int holds = program_has_meta(program, t->watched)
				? 1
				: holds_hash(program, &t->head->data, t->memory, t->fault);

		if (holds < 0) {
			program_put(&program);
			return NULL;
		}
		if (holds || tries == SETTLE_TRIES) {
			atomic_store(&program->settled, true);
			break;
		}
		pause_a_while();
		again = read_program(t);
		tries = again == program ? tries + 1 : 0;
		program_put(&program);
		program = again;
		if (program && fault_check_deadline(t->deadline, t->fault) < 0)
			program_put(&program);
	}
	return program;
}

static int64_t unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int copy_chain(struct program_snapshot *snapshot, const struct modules *modules, int module,
		      const struct taking *t)
{
	unsigned steps;

	/* a chain that goes in a circle ends, too */
	for (steps = 0; module >= 0 && steps < modules->n; steps++) {
		if (counter_copy(&modules->list[module].data, snapshot->program, t->memory,
				 t->deadline, &snapshot->entries, &snapshot->dropped, t->fault) < 0)
			return -1;
		module = modules_next(modules, (unsigned)module);
	}
	return 0;
}

int program_snapshot_take(struct program_snapshot *snapshot, struct live_cache *cache,
			  const struct modules *modules, unsigned head,
			  const struct watched_dirs *watched, const struct memory *memory,
			  const struct deadline *deadline, struct fault *fault)
{
	struct taking t = {cache, &modules->list[head], watched, memory, deadline, fault};

	snapshot->program = read_settled_program(&t);
	if (!snapshot->program)
		return -1;
	snapshot->read_ns = unix_ns();
	return copy_chain(snapshot, modules, (int)head, &t);
}

void program_snapshot_free(struct program_snapshot *snapshot)
{
	program_put(&snapshot->program);
	counter_entries_free(&snapshot->entries);
}
