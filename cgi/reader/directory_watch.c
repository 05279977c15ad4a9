#include "cgi/reader/directory_watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EVENTS                                                                                     \
	(IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |          \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* Changed by nobody but this kernel; numbers from the kernel's include/uapi/linux/magic.h. */
static bool is_local(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case 0xef53:	 /* ext2, ext3, ext4 */
	case 0x58465342: /* XFS */
	case 0x9123683e: /* Btrfs */
	case 0xf2f52010: /* F2FS */
	case 0x01021994: /* tmpfs */
		return true;
	}
	return false;
}

static bool is_same(const struct watched_directory *directory, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == directory->device &&
	       st.st_ino == directory->inode;
}

static bool are_same(const struct directory_watch *watch, const int *fds, size_t n)
{
	size_t i;

	if (watch->fd < 0 || watch->n != n)
		return false;
	for (i = 0; i < n; i++)
		if (!is_same(&watch->directories[i], fds[i]))
			return false;
	return true;
}

static int add(struct directory_watch *watch, int fd)
{
	char path[64];
	struct stat st;

	/* by its descriptor: the path may lead to another directory by now */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (!is_local(fd) || fstat(fd, &st) < 0 || inotify_add_watch(watch->fd, path, EVENTS) < 0)
		return -1;
	watch->directories[watch->n++] = (struct watched_directory){st.st_dev, st.st_ino};
	return 0;
}

/* Where that is not possible nothing is watched: the files are asked one by one. */
static void start(struct directory_watch *watch, const int *fds, size_t n)
{
	directory_watch_stop(watch);
	watch->directories = calloc(n + 1, sizeof *watch->directories);
	watch->fd = watch->directories ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
	while (watch->fd >= 0 && watch->n < n)
		if (add(watch, fds[watch->n]) < 0)
			directory_watch_stop(watch);
}

/* What an event says in particular does not matter: the watch begins anew after it. */
static bool is_silent(const struct directory_watch *watch)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t got;

	do
		got = read(watch->fd, events, sizeof events);
	while (got < 0 && errno == EINTR);
	return got < 0 && errno == EAGAIN;
}

bool directory_watch_is_quiet(struct directory_watch *watch, const int *fds, size_t n)
{
	if (are_same(watch, fds, n) && is_silent(watch))
		return true;
	/* after an event, too: one that was removed is watched no longer, and may be there again */
	start(watch, fds, n);
	return false;
}

void directory_watch_stop(struct directory_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch->directories);
	*watch = DIRECTORY_WATCH_INIT;
}
