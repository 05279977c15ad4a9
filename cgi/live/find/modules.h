/*
 * The Go modules in a process: its executable, libraries built with -buildmode=c-shared, plugins.
 * Each that has a runtime of its own begins a program; plugins belong to the one that has loaded
 * them.
 */
#ifndef GOVERAGE_LIVE_FIND_MODULES_H
#define GOVERAGE_LIVE_FIND_MODULES_H

#include "cgi/live/find/executable_cache.h"
#include "cgi/live/go/moduledata.h"

enum { MODULES_MAX = 64 };

struct module {
	struct executable *exe; /* owned */
	char *path;    /* owned; of a library as the process sees it; NULL = the executable */
	uint64_t bias; /* what is added to the file's addresses */
	struct moduledata data;
};

struct modules {
	struct module *list; /* owned; the executable first, then by address */
	unsigned n;
};

#define MODULES_INIT ((struct modules){0})

/*
 * Find them.  None at all is no fault.  -1: FAULT_UNSUPPORTED for a program that was built with
 * -cover and can't be looked into, FAULT_GONE, FAULT_DENIED, FAULT_REQUEST.
 */
must_check int modules_find(struct modules *modules, struct live_cache *cache,
			    const struct process *process, const struct memory *memory,
			    const struct deadline *deadline, struct fault *fault);

/*
 * Where none was found by the files: look for one in memory itself, see cgi/live/go/memory_image.h.
 * This costs as much as reading all of the program, once for each file.  -1 as above.
 */
must_check int modules_find_unpacked(struct modules *modules, struct live_cache *cache,
				     const struct process *process, const struct memory *memory,
				     const struct deadline *deadline, struct fault *fault);

/* Does any of them have coverage counters? */
bool modules_have_counters(const struct modules *modules);

/* Has a runtime loaded module i, as a plugin, so that it begins no program of its own? */
bool modules_is_plugin(const struct modules *modules, unsigned i);

/* The module that the runtime has chained behind module i; -1 = none. */
int modules_next(const struct modules *modules, unsigned i);

void modules_free(struct modules *modules);

#define cleanup_modules cleanup_with(modules_free)

#endif
