/*
 * What the coverage files of a directory tell of who runs the services: their owners.  It is asked
 * for at each poll, and there may be thousands of files: each counter file is looked at once, and
 * the directory is listed when it has changed.
 */
#ifndef GOVERAGE_LIVE_FIND_EVIDENCE_FILES_H
#define GOVERAGE_LIVE_FIND_EVIDENCE_FILES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "cgi/live/process/fault.h"

enum {
	EVIDENCE_MAX_USERS = 64,
	EVIDENCE_MAX_FILES = 10000,
	EVIDENCE_SLOTS = 16384, /* a power of two */
	EVIDENCE_DIRS = 8,
};

struct user_set {
	uid_t users[EVIDENCE_MAX_USERS];
	unsigned n;
};

bool user_set_has(const struct user_set *set, uid_t uid);

/* Nothing happens where it is full. */
void user_set_add(struct user_set *set, uid_t uid);

struct file_evidence {
	struct user_set owners;
};

#define FILE_EVIDENCE_INIT ((struct file_evidence){.owners.n = 0})

/* A counter file. */
struct evidence_file {
	uint64_t key; /* of directory, inode and name; 0 = free */
	uid_t owner;
};

struct evidence_dir {
	uint64_t dev, inode;		      /* inode 0 = free */
	int64_t changed_ns, state_changed_ns; /* its mtime and ctime */
	struct file_evidence evidence;
};

/* What is remembered, for any number of threads.  Zeroed, and then initialised. */
struct evidence_files {
	pthread_mutex_t lock; /* for all below */
	struct evidence_file files[EVIDENCE_SLOTS];
	struct evidence_dir dirs[EVIDENCE_DIRS];
	unsigned next_dir;
};

void evidence_files_init(struct evidence_files *known);
void evidence_files_destroy(struct evidence_files *known);

/*
 * Add what the files of a directory tell; `dir` is its state, and now_ns (unix nanoseconds) a time
 * before that was asked for.  A counter file that has got another owner since it was seen first
 * counts for the one that it had.  -1: FAULT_REQUEST, when it can't be told since this machine is
 * out of something.
 */
must_check int evidence_files_collect(struct evidence_files *known, int dir_fd,
				      const struct stat *dir, int64_t now_ns,
				      struct file_evidence *evidence, struct fault *fault);

#endif
