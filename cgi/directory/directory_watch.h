/*
 * What has happened to the files of these directories since we last looked?  The kernel tells
 * (inotify(7)), so that thousands of files need not be asked one by one at every poll.
 *
 * What it can't tell must be looked at all the same: a file system that others change behind the
 * kernel's back (network, FUSE, overlay), a file that has a second name in another directory, or is
 * a link.  A file that is written through a mapping is not told of either; coverage files never
 * are.
 */
#ifndef GOVERAGE_DIRECTORY_DIRECTORY_WATCH_H
#define GOVERAGE_DIRECTORY_DIRECTORY_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct watched_directory {
	dev_t device;
	ino_t inode;
	int wd; /* inotify's watch descriptor */
};

struct changed_file;

struct directory_watch {
	int fd;				       /* of inotify; -1 = nothing is watched; owned */
	struct watched_directory *directories; /* owned */
	size_t n;
	struct changed_file *changed; /* owned; what the last call was told of */
	size_t n_changed;
	bool told_all; /* were these all changes before the last call? */
};

#define DIRECTORY_WATCH_INIT ((struct directory_watch){.fd = -1})

/*
 * Ask what has happened in the n directories, open at fds, since the call before.  What happens
 * after this call is told by the next one.  The first call for these directories starts the watch.
 */
void directory_watch_ask(struct directory_watch *watch, const int *fds, size_t n);

/*
 * How many names the last call was told of, those of files that are gone included; -1 where others
 * may have changed, too.
 */
ssize_t directory_watch_count_changed(const struct directory_watch *watch);

/* The name number i of these, until the next call; *dir becomes the index of its directory. */
const char *directory_watch_changed(const struct directory_watch *watch, size_t i, size_t *dir);

void directory_watch_stop(struct directory_watch *watch);

#endif
