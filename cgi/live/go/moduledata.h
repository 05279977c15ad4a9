/*
 * The runtime's own description of a Go program or library in memory (runtime.moduledata): where
 * its data and its coverage counters lie.  It is found without a symbol table, so that a stripped
 * program is as good as any.  Its first 35 words have kept their places since Go 1.20 on every
 * architecture.
 */
#ifndef GOVERAGE_LIVE_GO_MODULEDATA_H
#define GOVERAGE_LIVE_GO_MODULEDATA_H

#include "cgi/live/go/executable.h"

enum {
	MODULEDATA_WORDS = 35,	    /* that are known */
	MODULEDATA_LINK_FIRST = 60, /* the link to the next module lies between these words, */
	MODULEDATA_LINK_END = 80,   /* where exactly depends on the release */
};

struct moduledata {
	uint64_t address; /* all addresses are those in the process */
	uint64_t bss, ebss;
	uint64_t noptrbss, enoptrbss;
	uint64_t covctrs, ecovctrs; /* equal: no coverage counters */
	uint64_t links[MODULEDATA_LINK_END - MODULEDATA_LINK_FIRST];
	unsigned n_links;
};

/*
 * Find the module data of a file that is mapped with the load bias `bias`.  1 when found (and the
 * file's hint is kept for the next time), 0 when there is none, -1 with a fault other than
 * FAULT_UNMAPPED.
 */
must_check int moduledata_find(struct moduledata *module, struct executable *exe, uint64_t bias,
			       const struct memory *process, const struct deadline *deadline,
			       struct fault *fault);

/*
 * Is `other` the module that the runtime has chained behind `module`?  Told by any of the link
 * words, as no other word there can hold the address of a module's data.
 */
bool moduledata_links_to(const struct moduledata *module, const struct moduledata *other);

#endif
