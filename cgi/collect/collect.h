/*
 * The files that an answer is made of: those in the coverage directories, and the snapshots of the
 * processes that are running, each counted once.
 */
#ifndef GOVERAGE_COLLECT_COLLECT_H
#define GOVERAGE_COLLECT_COLLECT_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/collect/endings.h"
#include "cgi/collect/selection.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/exchange/app.h"
#include "cgi/live/live.h"

struct collection {
	struct coverage_dirs dirs;
	bool live_was_read; /* running processes were looked for, */
	int64_t looked_ns;  /* since then: unix nanoseconds */
	struct live_report live;
	struct memory_files live_files; /* their snapshots */
	struct coverage_set set;	/* of the coverage directories; listed, not screened */
	bool live_meta;			/* a snapshot brought meta-data of its own */
};

#define COLLECTION_INIT ((struct collection){0})

/*
 * Collect for the directories of `gocoverdir`; only what the selection chooses.  First the
 * processes are read, then the directories are listed: what ends in between is counted once, by its
 * own file.
 *
 * -1: ERROR_NOT_FOUND, with a sentence that lists what there is, for a selection that fails or that
 * chooses nothing; as coverage_set_list() and live_snapshot(); ERROR_INTERNAL with the reason of
 * one of them where GOVERAGE_LIVE is "required" and a process could not be read, and where there
 * are processes of ours, none of which could be read, and nothing else to answer with.
 */
must_check int collect(struct collection *collection, struct app *app, const char *gocoverdir,
		       struct selection *selection, const struct deadline *deadline,
		       struct error *err);

/* Is there anything that a profile can be made of? */
bool collection_is_empty(const struct collection *collection);

/*
 * How the runs of its programs have ended, and what was lost with them; findings: what is known of
 * the files of its set, as reader_report has them.  Nothing where running processes were not
 * looked for.  What is lost is logged.  -1: as endings_find(), and ERROR_INTERNAL where
 * GOVERAGE_LIVE is "required" and a program may be running unseen.
 */
must_check int collection_endings(const struct collection *collection, struct app *app,
				  const struct string_list *services,
				  const enum coverage_finding *findings,
				  const struct deadline *deadline, struct endings *endings,
				  struct error *err);

void collection_free(struct collection *collection);

#define cleanup_collection cleanup_with(collection_free)

#endif
