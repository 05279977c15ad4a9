/* The programs that have left coverage files behind and have no process now. */
#ifndef GOVERAGE_LIST_LIST_ENDED_H
#define GOVERAGE_LIST_LIST_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/collect/endings.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/live/live.h"

enum {
	/* Counter files beyond this sum of bytes are not looked into for one list. */
	LIST_ENDED_MAX_BYTES = 256 << 20,
};

/* One meta-data file and its counters.  Strings are owned; NULL where a thing is not known. */
struct ended_program {
	char *program;	   /* name, as program_name.h has it, by its newest counter file */
	char *main_path;   /* import path of the main package */
	char *module_path; /* of that package */
	char *hash;	   /* the tag in the file names: of files by Go, 32 hexadecimal digits */
	uint8_t mode;	   /* enum counter_mode */
	bool knows_functions;
	uint64_t functions;	    /* instrumented; with knows_functions */
	bool knows_touched;	    /* all counter files were looked into */
	uint64_t functions_touched; /* in any of the counter files; with knows_touched */
	size_t counter_files;
	size_t lost;	     /* runs of it that left no counters, as endings.h has it */
	bool may_be_running; /* it has no counter file, and is not known to be lost */
	uint64_t newest_ns;  /* unix nanoseconds: when the newest was written; 0 = there is none */
};

struct ended_list {
	struct ended_program *programs; /* owned; by name, then hash, in byte order */
	size_t n;
};

#define ENDED_LIST_INIT ((struct ended_list){0})

/*
 * Find them in the set, which was listed after the processes were read.  Left out is a program with
 * the meta-data hash of a process that was read.  What the other processes run is not known: one of
 * them may run a program that has no counter file yet.  `endings` are those of the same set.
 *
 * -1: ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_UNAVAILABLE, ERROR_INTERNAL for a directory that can't
 * be opened any more.
 */
must_check int ended_list_read(struct ended_list *list, const struct coverage_set *set,
			       const struct live_report *live, const struct endings *endings,
			       const struct deadline *deadline, struct error *err);

void ended_list_free(struct ended_list *list);

#define cleanup_ended_list cleanup_with(ended_list_free)

#endif
