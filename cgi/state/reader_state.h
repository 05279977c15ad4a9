/* What a struct reader consists of: what is known since the last poll. */
#ifndef GOVERAGE_STATE_READER_STATE_H
#define GOVERAGE_STATE_READER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/lru.h"
#include "cgi/base/timed_lock.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/directory/directory_watch.h"
#include "cgi/state/kept.h"
#include "cgi/state/reader.h"
#include "cgi/sum/profile_history.h"
#include "cgi/sum/program.h"

/* What is known of one list of directories. */
struct place {
	struct lru_entry entry;
	struct string_list paths; /* of the directories */
	struct directory_watch watch;
	uint64_t asked; /* by whom it was asked last: only he may keep what he lists; 0 = nobody */
	bool listed;	/* is `set` what the directories held when the watch was asked last? */
	struct coverage_set set;
	size_t set_memory;
	struct kept sum; /* of the files */
};

struct reader {
	size_t budget;
	struct timed_lock lock; /* for all below; never held while a directory is listed */
	uint64_t questions;	/* for what the directories hold: the numbers of the generations */
	struct lru places;
	struct program_cache programs;
	struct lru earlier;		/* profiles that somebody may want to compare with */
	struct profile_history history; /* by which they are found */
};

/* Take the lock.  -1: ERROR_TIMEOUT. */
must_check int reader_lock(struct reader *reader, const struct deadline *deadline,
			   struct error *err);

/*
 * What is known of these directories, from now on the youngest; nothing at first.  NULL when out of
 * memory.
 */
must_check struct place *reader_place(struct reader *reader, const struct string_list *paths);

/*
 * Forget until the budget is kept, and few enough places are: other directories, idle programs,
 * earlier profiles, at last all.
 */
void reader_keep_to_budget(struct reader *reader);

#endif
