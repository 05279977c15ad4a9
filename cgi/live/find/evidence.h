/*
 * Is a process that may not be looked into one of ours?  Its GOCOVERDIR can't be read, so this goes
 * by what everybody may see:
 *
 *   - it is no kernel thread and no zombie: it has a command line;
 *   - its user owns a coverage file in a watched directory, and it is younger than the oldest
 * meta-data file there, which is the first thing that such a program writes; or its user, who is
 * not root, owns a watched directory itself;
 *   - the program that its command line names, by an absolute path or as a program in one of the
 * usual places, says in its build information that it was built with -cover, or can't be found or
 * read. Otherwise every shell and every daemon of that user would be counted.
 */
#ifndef GOVERAGE_LIVE_FIND_EVIDENCE_H
#define GOVERAGE_LIVE_FIND_EVIDENCE_H

#include "cgi/live/process/boot_clock.h"
#include "cgi/live/process/environment.h"
#include "cgi/live/find/executable_cache.h"

enum { EVIDENCE_COMMANDS = 256 };

struct evidence {
	const struct watched_dirs *watched;
	struct live_cache *cache;
	const struct boot_clock *clock;
	bool collected; /* once, when the first hidden process is met */
	struct file_evidence files;
	struct user_set dir_owners;
	/* hashes of command lines that name something else; whoever comes later takes the place */
	uint64_t others[EVIDENCE_COMMANDS];
};

/* 1 = yes, 0 = no, -1 = FAULT_REQUEST.  `stat` is the state of the process; all zeros where it may
 * not be seen. */
must_check int evidence_says_ours(struct evidence *evidence, int proc_fd, pid_t pid,
				  const struct process_stat *stat, const struct deadline *deadline,
				  struct fault *fault);

#endif
