/* What a struct reader consists of, and what it forgets when room is short. */
#ifndef GOVERAGE_STATE_READER_STATE_H
#define GOVERAGE_STATE_READER_STATE_H

#include <stddef.h>

#include "cgi/base/lru.h"
#include "cgi/base/timed_lock.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/state/kept.h"
#include "cgi/state/reader.h"
#include "cgi/sum/profile_history.h"
#include "cgi/sum/program.h"

/* What is kept of one list of directories. */
struct kept_list {
	char *key; /* owned: the paths */
	struct kept sum;
	struct kept_list *next; /* the one that was used before */
};

struct reader {
	size_t budget;
	struct timed_lock lock; /* for all below */
	struct program_cache programs;
	struct kept_list *kept;		/* owned; the youngest first */
	struct lru earlier;		/* profiles that somebody may want to compare with */
	struct profile_history history; /* by which they are found */
};

/*
 * What is kept of the directories of the set, from now on the youngest; empty where there is
 * nothing.  NULL when out of memory.
 */
must_check struct kept *reader_find_kept(struct reader *reader, const struct coverage_set *set);

/*
 * Forget until the budget is kept, and few enough lists are: the state of other directories, idle
 * programs, earlier profiles, at last all.
 */
void reader_keep_to_budget(struct reader *reader);

void kept_list_free(struct kept_list *list);

#endif
