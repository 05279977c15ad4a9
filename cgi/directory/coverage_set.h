/*
 * The coverage files that one answer is made of: what the directories hold, less what can't be
 * good. covdata answers nothing at all when one file in a thousand is bad, so the choice is made
 * before it.
 */
#ifndef GOVERAGE_DIRECTORY_COVERAGE_SET_H
#define GOVERAGE_DIRECTORY_COVERAGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/format/coverage_format.h"

enum coverage_kind { COVERAGE_META, COVERAGE_COUNTERS };

/* What somebody who has read a whole file a moment ago says about it. */
enum coverage_finding {
	COVERAGE_UNREAD, /* nothing */
	COVERAGE_GOOD,
	COVERAGE_DAMAGED, /* nobody can use it */
};

struct coverage_file {
	char *name; /* owned; the name in its directory */
	size_t
	    tag_len; /* length of the hash behind "covmeta." or "covcounters." (see coverage_tag) */
	unsigned dir; /* index into dirs */
	enum coverage_kind kind;
	uint64_t pid; /* of counters: as the process saw it */
	uint64_t
	    time_ns;   /* of counters: when they were written, unix nanoseconds, as the name says */
	uint64_t size; /* bytes */
	uint8_t mode;  /* of meta-data: enum counter_mode */
	uint8_t granularity; /* of meta-data: enum counter_granularity */
	bool good;	     /* it was found so a moment ago, and need not be looked into again */
	bool dropped;	     /* private: on its way out of the set */
	uint64_t changed; /* the generation in which something happened to it last; 0 = unknown */
};

struct shared_content;

struct coverage_set {
	struct string_list dirs;     /* absolute paths, each directory once */
	struct coverage_file *files; /* owned; directory by directory, names in byte order */
	size_t n_files;
	size_t n_meta; /* of n_files */
	size_t n_counters;
	size_t skipped;	     /* files that look like coverage files and were left out */
	size_t vanished;     /* files that were listed and are no longer there */
	uint64_t generation; /* of the directories, when they were listed: it is another one
				whenever anything has happened in them; 0 = unknown */
	bool cut;	     /* files were taken out of it since then */
	struct shared_content *shared; /* other sets may have the same dirs and files, as those
					  have that have the same here; NULL = they are its own */
};

/* Each file that is left out has a line in the log, up to this many; then one line says so. */
enum { COVERAGE_LOGGED_SKIPS = 50 };

#define COVERAGE_SET_INIT ((struct coverage_set){0})

/*
 * List the coverage files in the directories of `gocoverdir` (several are separated by commas, as
 * covdata takes them), by their names.  Passed over in silence: everything that covdata ignores
 * (temporary files, other names, directories).
 *
 * -1: ERROR_UNAVAILABLE for a directory that does not exist (it is not created), ERROR_INTERNAL for
 * one that is none or can't be read, ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int coverage_set_list(struct coverage_set *set, const char *gocoverdir,
				 const struct deadline *deadline, struct error *err);

/* The same for directories that are open. */
must_check int coverage_set_list_dirs(struct coverage_set *set, const struct coverage_dirs *dirs,
				      const struct deadline *deadline, struct error *err);

/* From now on copies have the directories and files in common with it, where memory allows that. */
void coverage_set_share(struct coverage_set *set);

/*
 * To be called before a directory or a file of a set is changed that may share them: now they are
 * its own.  -1: ERROR_UNAVAILABLE, and nothing has changed.
 */
must_check int coverage_set_own(struct coverage_set *set, struct error *err);

/* A copy for the caller, who frees it on error, too.  -1: ERROR_UNAVAILABLE. */
must_check int coverage_set_copy(struct coverage_set *copy, const struct coverage_set *set,
				 struct error *err);

/*
 * Look into the files of a listed set, which must be its own, and choose those that covdata can
 * read.  Left out, logged and counted: empty and truncated files, foreign files under a coverage
 * name, files that are no regular files or can't be read, counters without their meta-data.  Left
 * out in silence: a file that has vanished meanwhile.  Counters that are marked as good are not
 * opened: only their meta-data decides on them.  -1 as coverage_set_list().
 */
must_check int coverage_set_screen(struct coverage_set *set, const struct deadline *deadline,
				   struct error *err);

/* Both, one after the other. */
must_check int coverage_set_read(struct coverage_set *set, const char *gocoverdir,
				 const struct deadline *deadline, struct error *err);

/*
 * Check that all meta-data have the same counter mode and granularity: -1 with ERROR_CONFLICT,
 * which names the modes and the programs (import paths of their main packages), otherwise.
 */
must_check int coverage_set_check_modes(const struct coverage_set *set, struct error *err);

/*
 * Leave in the set only the files that keep[] says, one for each, in silence.  What it shared is
 * its own then; all indexes are void.  -1: ERROR_UNAVAILABLE, and nothing has changed.
 */
must_check int coverage_set_keep(struct coverage_set *set, const bool *keep, struct error *err);

/*
 * Take the file at index i out of the set, for a reason that is logged, and count it as skipped;
 * with meta-data go its counters.  All indexes are void.
 */
void coverage_set_leave_out(struct coverage_set *set, size_t i, const char *reason);

/*
 * Go by what was found in the files, one finding for each (NULL = all are good): mark the good
 * ones, and take the damaged ones out and count them as skipped; the log tells of these already.
 * All indexes are void.
 */
void coverage_set_believe(struct coverage_set *set, const enum coverage_finding *findings);

/* Take out every file that is no longer there, in silence: somebody cleared the directory
 * meanwhile. */
void coverage_set_drop_vanished(struct coverage_set *set);

void coverage_set_free(struct coverage_set *set);

#define cleanup_coverage_set cleanup_with(coverage_set_free)

#endif
