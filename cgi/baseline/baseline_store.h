/*
 * The baselines in the state directory.  Each is a directory of ordinary coverage files, which
 * covdata can read: covmeta.<hash> of every program that had run, and the sum of its counters, one
 * counter file for each name under which the program ran (the name is argv[0] in it), and one more
 * for each process that was running: that one is called covcounters.<hash>.<pid>.<start>, with the
 * pid as this program saw it, and the start in clock ticks, so that it is found again by address.
 *
 * It is called baseline.<key>.<time>: the key tells for which coverage directories it is, the time
 * (unix nanoseconds) when it was set; the latest counts.  It is written under another name and
 * renamed, and never changed afterwards.
 */
#ifndef GOVERAGE_BASELINE_BASELINE_STORE_H
#define GOVERAGE_BASELINE_BASELINE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/baseline/state_dir.h"
#include "cgi/collect/collect.h"
#include "cgi/directory/coverage_set.h"

enum { BASELINE_KEY_SIZE = 17, BASELINE_NAME_SIZE = 64, BASELINE_TIME_SIZE = 32 };

/* The key for coverage directories, by their real paths. */
void baseline_key(char key[BASELINE_KEY_SIZE], const struct string_list *dirs);

/* The name of the directory of a baseline. */
void baseline_name(char name[BASELINE_NAME_SIZE], const char *key, int64_t set_ns);

/* The time of a baseline as RFC 3339 has it, in UTC, to the second. */
void baseline_time(char text[BASELINE_TIME_SIZE], int64_t set_ns);

/* When the latest one was set, in unix nanoseconds; 0 = there is none.  -1 with the reason. */
must_check int64_t baseline_latest(const struct state_dir *state, const char *key,
				   struct error *err);

/*
 * The files of the baseline that was set then.  -1: ERROR_INTERNAL where a file of it is damaged or
 * gone, ERROR_UNAVAILABLE, ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int baseline_files(struct coverage_set *set, const struct state_dir *state,
			      const char *key, int64_t set_ns, const struct deadline *deadline,
			      struct error *err);

/* What a process is known by in a baseline. */
struct baseline_process {
	uint64_t pid, start_ticks;
};

/* Is this file of a baseline that of the process? */
bool baseline_is_of_process(const struct coverage_file *file, const struct live_process *process);

/* The process that a file of a baseline is of, into *process; false where it is of none. */
bool baseline_process_of(const struct coverage_file *file, struct baseline_process *process);

/* A baseline that is being written, by the holder of the lock. */
struct baseline_writer {
	const struct state_dir *state;
	char key[BASELINE_KEY_SIZE];
	int64_t set_ns; /* later than that of any other with the key */
	int fd;		/* its directory; -1 = none */
	unsigned n;	/* counter files so far */
};

#define BASELINE_WRITER_INIT ((struct baseline_writer){.fd = -1})

/* Begin; what a killed writer has left is removed.  -1 with what to do. */
must_check int baseline_writer_begin(struct baseline_writer *writer, const struct state_dir *state,
				     const struct string_list *dirs, struct error *err);

/* Add a meta-data file of this name, unless it is there.  -1 with what to do. */
must_check int baseline_writer_meta(struct baseline_writer *writer, const char *name,
				    const void *bytes, size_t n, struct error *err);

/*
 * Add a counter file for the tag (tag_len bytes) of such a meta-data file: of a process, or, where
 * that is NULL, of none.  -1 with what to do.
 */
must_check int baseline_writer_counters(struct baseline_writer *writer, const char *tag,
					size_t tag_len, const struct baseline_process *process,
					const void *bytes, size_t n, struct error *err);

/* From now on it counts; those before it are removed.  -1 with what to do: nothing has changed
 * then. */
must_check int baseline_writer_end(struct baseline_writer *writer, struct error *err);

/* Give up what was begun and not ended. */
void baseline_writer_close(struct baseline_writer *writer);

#define cleanup_baseline_writer cleanup_with(baseline_writer_close)

#endif
