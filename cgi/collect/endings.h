/*
 * How the runs of covered programs have ended: with counter files of their own, or without.
 *
 * A run is lost when it ended and there is no good counter file of it: it was killed, it crashed,
 * or SIGTERM met a program without a handler.  Two things tell:
 *
 *   - A meta-data file with no good counter file in any directory and no process that has its hash:
 *     whatever wrote it is lost, once.  The same is seen where the process is there and can't be
 *     seen, in another PID namespace.
 *   - A process that this responder has read, and that has gone since without a file whose name has
 *     its hash and pid, and a time that is not more than a second before it was read last.  One
 *     file stands for one process.
 *
 * Nothing is said of a program that a process which could not be read may be running: one of that
 * name, or any where the names don't tell.  Nor of meta-data younger than the look at the
 * processes: theirs came too late to be seen.
 */
#ifndef GOVERAGE_COLLECT_ENDINGS_H
#define GOVERAGE_COLLECT_ENDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/live/live.h"

struct seen_processes;

enum { ENDINGS_NAMED = 64 }; /* programs that are told apart; those beyond are only counted */

struct lost_program {
	char hash[64]; /* the tag in the file names, cut */
	char *name;    /* owned; as program_name.h has it, of plain characters */
	size_t runs;
	bool was_seen; /* this responder had read them */
};

struct endings {
	bool known;    /* running processes were looked for: without that nothing can be said */
	size_t ended;  /* good counter files that are not of running processes */
	size_t lost;   /* runs */
	size_t unseen; /* of these, such as this responder has never read */
	struct lost_program *programs; /* owned; n <= ENDINGS_NAMED */
	size_t n;
};

#define ENDINGS_INIT ((struct endings){0})

/* What is looked at; nothing of it is owned. */
struct endings_view {
	const struct coverage_dirs *dirs;
	const struct coverage_set *set;	       /* of these; listed after the processes were read */
	const enum coverage_finding *findings; /* one for each file of the set; NULL = all good */
	const struct live_report *live;
	const struct string_list *services; /* the set has only these; empty = all */
	struct live_cache *cache;	    /* for a look at the others */
	int64_t looked_ns; /* unix nanoseconds: when the look at the processes began */
	struct seen_processes *seen;
	const struct deadline *deadline;
};

/* The clock for looked_ns. */
int64_t endings_now_ns(void);

/* Find them.  -1: as live_snapshot(), and ERROR_UNAVAILABLE. */
must_check int endings_find(struct endings *endings, const struct endings_view *view,
			    struct error *err);

/* How many runs of the program with this tag were lost. */
size_t endings_lost_of(const struct endings *endings, const char *hash);

/* One sentence about the lost runs, which names programs; nothing where there is none. */
void endings_describe(const struct endings *endings, struct buffer *out);

/* A line in the log for each lost program. */
void endings_log(const struct endings *endings);

/*
 * With GOVERAGE_LIVE=required: -1 with ERROR_INTERNAL where a program may be running unseen.
 */
must_check int endings_require(const struct endings *endings, struct error *err);

/* A number that differs when something else is lost. */
uint64_t endings_fingerprint(const struct endings *endings, uint64_t seed);

void endings_free(struct endings *endings);

#define cleanup_endings cleanup_with(endings_free)

#endif
