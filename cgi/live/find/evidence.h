/*
 * Is a process that may not be looked into one of ours?  Its GOCOVERDIR can't be read, so this goes
 * by what everybody may see.  It is one when all of it speaks for that:
 *
 *   - a Go runtime may be at work in it, by its threads and the size of its address space;
 *   - it has to do with the coverage files by its users: the file of meta-data, which is what such
 *     a program writes first, or a counter file belongs to one of them, or a watched directory does
 *     (unless it is root's).  One that isn't dumpable may have had other rights before: then root
 * is among its users;
 *   - the program that its command line names, by an absolute path or as one in the usual places,
 *     has in it what one of the meta-data files there has.
 *
 * A program that can be read and has not is somebody else.  One that can't be found or read (it was
 * named by a relative path, deleted, is a script or packed) tells nothing: then the process must
 * have started shortly before one of its users wrote a meta-data file, or be called as the program
 * that this one describes.
 */
#ifndef GOVERAGE_LIVE_FIND_EVIDENCE_H
#define GOVERAGE_LIVE_FIND_EVIDENCE_H

#include "cgi/live/find/executable_cache.h"
#include "cgi/live/find/meta_marks.h"
#include "cgi/live/process/boot_clock.h"
#include "cgi/live/process/environment.h"

struct evidence {
	const struct watched_dirs *watched;
	struct live_cache *cache;
	const struct boot_clock *clock;
	bool collected; /* once, when the first process is met that it is needed for */
	struct file_evidence files;
	struct user_set dir_owners;
	struct meta_marks marks;
	uint64_t marks_digest; /* of their names; bit 0 is 0, the rest is not */
};

/* 1 = yes, 0 = no, -1 = FAULT_REQUEST.  `stat` is the state of the process; all zeros where it may
 * not be seen. */
must_check int evidence_says_ours(struct evidence *evidence, int proc_fd, pid_t pid,
				  const struct process_stat *stat, const struct deadline *deadline,
				  struct fault *fault);

#endif
