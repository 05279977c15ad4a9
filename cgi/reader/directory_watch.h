/*
 * Has anything happened to the files of these directories since we last looked?  The kernel tells
 * (inotify(7)), so that thousands of files need not be asked one by one at every poll.
 *
 * What it can't tell must be looked at all the same: a file system that others change behind the
 * kernel's back (network, FUSE, overlay), a file that has a second name in another directory, or is
 * a link.  A file that is written through a mapping is not told of either; coverage files never
 * are.
 */
#ifndef GOVERAGE_READER_DIRECTORY_WATCH_H
#define GOVERAGE_READER_DIRECTORY_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct watched_directory {
	dev_t device;
	ino_t inode;
};

struct directory_watch {
	int fd;				       /* of inotify; -1 = nothing is watched; owned */
	struct watched_directory *directories; /* owned */
	size_t n;
};

#define DIRECTORY_WATCH_INIT ((struct directory_watch){.fd = -1})

/*
 * True when nothing has happened in the n directories, open at fds, since the call before, which
 * was for the same directories.  False when something has, when it can't be known, and at the first
 * call for these directories, which starts the watch.  Whatever happens after the call is told by
 * the next one.
 */
bool directory_watch_is_quiet(struct directory_watch *watch, const int *fds, size_t n);

void directory_watch_stop(struct directory_watch *watch);

#endif
