/*
 * Which of the watched directories a process names in its GOCOVERDIR.  Directories are compared,
 * not strings: the value is resolved in the process's own view of the file system, and the device
 * and the inode of what is found there decide.  Where nothing is found, or the environment has been
 * written over, this says nothing: then its meta-data decide, which is for others to see.
 */
#ifndef GOVERAGE_LIVE_PROCESS_ENVIRONMENT_H
#define GOVERAGE_LIVE_PROCESS_ENVIRONMENT_H

#include "cgi/live/process/process.h"

struct watched_dir {
	uint64_t dev, inode;
	int fd; /* owned; -1 = it is not there */
};

struct watched_dirs {
	struct watched_dir *dirs; /* owned */
	unsigned n;
};

#define WATCHED_DIRS_INIT ((struct watched_dirs){0})

/* Open the directories; one that is gone is no error, but nobody can name it. */
must_check int watched_dirs_open(struct watched_dirs *watched, const struct string_list *paths,
				 struct error *err);
void watched_dirs_close(struct watched_dirs *watched);

#define cleanup_watched_dirs cleanup_with(watched_dirs_close)

/*
 * The value of GOCOVERDIR in an environment block (strings that end in NUL).  The first one counts,
 * as in Go.  Not NUL-terminated when the block is not; NULL when it is absent or empty.
 */
const char *environment_gocoverdir(const char *block, size_t len, size_t *value_len);

/*
 * The directory that a test binary's arguments name (NUL-terminated strings, the program's name
 * first): -test.gocoverdir=DIR or -test.gocoverdir DIR, with one dash or two, the last one, as Go's
 * flag package reads them.  Go reads no further than "--".  As above; NULL when there is none.
 */
const char *arguments_gocoverdir(const char *block, size_t len, size_t *value_len);

/*
 * Is it such a block as a program is started with: NAME=value and a NUL, again and again?  Programs
 * that show a title of their own write over it.  An empty one is as good as any.
 */
bool environment_is_intact(const char *block, size_t len);

enum environment_result {
	ENVIRONMENT_OURS,  /* names a watched directory, be it in the arguments of a test binary */
	ENVIRONMENT_OTHER, /* names another one, or none */
	/*
	 * Names none that is there (any more, or as seen from this process); names what looks like
	 * a watched one through another file system; or has been written over.
	 */
	ENVIRONMENT_UNPLACED,
	ENVIRONMENT_HIDDEN,    /* may not be read */
	ENVIRONMENT_EXHAUSTED, /* this machine is out of something, as errno says */
};

/*
 * Look at the environment that process `pid` was started with.  `scratch` is memory for it, reused
 * from process to process; it stays empty where the process shows none at all.  A process that has
 * ended is ENVIRONMENT_OTHER.  With ENVIRONMENT_HIDDEN *stat is its state, all zeros where even
 * that may not be seen.
 */
enum environment_result environment_look(int proc_fd, pid_t pid, const struct watched_dirs *watched,
					 struct buffer *scratch, struct process_stat *stat);

/* The same for a process that is open, one whose first thread has ended, too. */
enum environment_result environment_look_again(const struct process *process,
					       const struct watched_dirs *watched,
					       struct buffer *scratch);

#endif
