/*
 * What one executable or shared object file is, as far as reading a process that runs it goes. Made
 * once from the file and never changed, but for two hints: where in memory something was found the
 * last time, which every use checks again, since they come from a process and not from the file.
 */
#ifndef GOVERAGE_LIVE_GO_EXECUTABLE_H
#define GOVERAGE_LIVE_GO_EXECUTABLE_H

#include <stdatomic.h>

#include "cgi/base/file_identity.h"
#include "cgi/live/go/build_info.h"
#include "cgi/live/go/elf.h"

enum { EXECUTABLE_MAX_PCLNTABS = 16 };

struct executable {
	struct file_identity identity;
	struct elf elf;
	struct build_info build; /* empty for what is no Go program */
	bool is_go;		 /* a Go program or library that can be looked into */
	/* the line tables that the file may have: addresses without the load bias */
	uint64_t pclntabs[EXECUTABLE_MAX_PCLNTABS];
	unsigned n_pclntabs;
	_Atomic uint64_t module_hint; /* address of the module data less the bias; 0 = none yet */
	_Atomic uint64_t
	    list_hint; /* address of the registration list less the bias; 0 = none yet */
	/* which meta-data were last looked for in the file, and in bit 0 whether they are there; see
	 * cgi/live/evidence.c; 0 = never */
	_Atomic uint64_t marks_looked_for;
	_Atomic unsigned users; /* see executable_put() */
};

/*
 * Read the file behind fd, whose identity is given.  A new executable with one user, or NULL with a
 * fault: FAULT_REQUEST, or FAULT_UNSUPPORTED for an ELF file that makes no sense.  What is no Go
 * program is no fault.
 */
must_check struct executable *executable_read(int fd, const struct file_identity *identity,
					      const struct deadline *deadline, struct fault *fault);

/* The same from any source of bytes. */
must_check struct executable *executable_read_from(const struct memory *file,
						   const struct file_identity *identity,
						   const struct deadline *deadline,
						   struct fault *fault);

/* One more user, one user less; the last one frees it.  NULL is fine for put. */
struct executable *executable_get(struct executable *exe);
void executable_put(struct executable **exe);

#define cleanup_executable cleanup_with(executable_put)

#endif
