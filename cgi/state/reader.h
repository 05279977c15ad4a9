/*
 * The built-in reader of Go's coverage files: what `covdata textfmt` does, without covdata.  It
 * differs where covdata answers nothing at all: a damaged file costs that file, and programs with
 * different counter modes give a profile of mode set.
 *
 * A struct reader keeps between requests what it has understood (decoded meta-data, the counter
 * files that have been added up, earlier states to compare with), within a number of bytes, and is
 * used by any number of threads.  The answers are the same bytes with and without that.
 *
 *	reader_list()            directories -> files
 *	reader_load()            files -> profile, and what there is to say about it
 *	reader_subtract()        profile - earlier profile -> what ran in between
 *	textfmt_writer_new()     profile -> text, of which the reader must still be there
 */
#ifndef GOVERAGE_STATE_READER_H
#define GOVERAGE_STATE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/sum/covprofile.h"

struct reader;

/* One that keeps at most `budget` bytes between requests; 0 = nothing.  NULL when out of memory. */
must_check struct reader *reader_new(size_t budget, struct error *err);
void reader_free(struct reader *reader);

/*
 * What the directories hold: the same as coverage_set_list_dirs(), but that thousands of names need
 * not be read, parsed and sorted again because of a few that have come or gone.  What the set holds
 * may be shared.
 *
 * Its generation is that of an earlier one only where nothing at all has happened in the
 * directories in between, to the names or to the files; and nothing has happened to a file since
 * the generation that it has as `changed`, as far as its own directory can tell: one that is a
 * link, or has a second name elsewhere, must be looked at all the same.  Where nothing is kept both
 * are 0.  -1 as coverage_set_list_dirs(), and as reader_load().
 */
must_check int reader_list(struct reader *reader, struct coverage_set *set,
			   const struct coverage_dirs *dirs, const struct deadline *deadline,
			   struct error *err);

enum { READER_NAMED_SKIPS = 50 };

/* What there is to say about a profile. */
struct reader_report {
	size_t n_programs;	/* meta-data files that are in it */
	size_t n_counter_files; /* counter files that are in it */
	size_t n_skipped;	/* files that are not, the counters of damaged meta-data included */
	struct string_list skipped; /* "DIR/NAME ends too early": the first READER_NAMED_SKIPS */
	enum coverage_finding *findings; /* owned; one for each file of the set; NULL = not told */
	bool all_good;			 /* these are all good; findings is NULL */
	bool
	    newer_format; /* a file is of a format version that is not known: covdata may know it */
	bool mixed_modes; /* programs with different counter modes: the profile is of mode set */
	uint32_t
	    several_builds; /* import paths for which blocks of different builds stand together */
	char *several_builds_example; /* owned; one of these import paths, NULL = none */
	uint64_t ignored_entries;     /* counters for functions that no meta-data has */
	char digest[33]; /* of what the text will say: equal for equal texts of one mode;
			    hexadecimal */
};

#define READER_REPORT_INIT ((struct reader_report){0})

void reader_report_free(struct reader_report *report);

#define cleanup_reader_report cleanup_with(reader_report_free)

struct reader_request {
	const struct coverage_set *set; /* the names and directories count, nothing else: it need
					   not have been screened */
	const int *dir_fds; /* of its directories; NULL = they are opened by their paths */
	const struct memory_files *live; /* snapshots of running processes; NULL = none */
	bool strict_modes;		 /* different counter modes are an error */
	bool once;			 /* nobody will ask for these files again: what they come to
					    is not kept */
	const struct deadline *deadline;
};

/*
 * Read the files of a request.  The caller becomes a user of the profile (covprofile_release).
 * Files that were left out are in the log and in the report; what has vanished meanwhile is left
 * out in silence.
 *
 * NULL: ERROR_UNAVAILABLE while there is no coverage data at all, or when the machine is out of
 * something; ERROR_CONFLICT with strict_modes, or where counters for blocks and for functions meet;
 * ERROR_INTERNAL with report->newer_format, for a format version that is not known; ERROR_TIMEOUT,
 * ERROR_CANCELLED.
 */
must_check struct covprofile *reader_load(struct reader *reader,
					  const struct reader_request *request,
					  struct reader_report *report, struct error *err);

/*
 * What is in `now` beyond `before`: counters subtracted, never below 0; in mode set the blocks that
 * were not covered before.  NULL when out of memory.
 */
must_check struct covprofile *reader_subtract(const struct covprofile *now,
					      const struct covprofile *before, struct error *err);

/* Keep what the profile says under its digest, to compare with later; the oldest go first when room
 * is short. */
void reader_remember(struct reader *reader, const struct covprofile *profile, const char *digest);

/*
 * The profile that was kept under the digest, of which the caller becomes the user; NULL when it is
 * not there.  -1: ERROR_UNAVAILABLE.
 */
must_check int reader_recall(struct reader *reader, const char *digest, struct covprofile **profile,
			     struct error *err);

#endif
