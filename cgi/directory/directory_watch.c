#include "cgi/directory/directory_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EVENTS                                                                                     \
	(IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |          \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

enum {
	CHANGED_MAX = 64, /* beyond that all files are asked: it is as cheap */
	READS_MAX = 64,	  /* of events: somebody may write faster than they are read */
};

struct changed_file {
	int wd;
	char name[NAME_MAX + 1];
};

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
	int wd;

	if (!is_local(fd) || fstat(fd, &st) < 0)
		return -1;
	/* by its descriptor: the path may lead to another directory by now */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(watch->fd, path, EVENTS);
	if (wd < 0)
		return -1;
	watch->directories[watch->n++] = (struct watched_directory){st.st_dev, st.st_ino, wd};
	return 0;
}

/* Where that is not possible nothing is watched: the files are asked one by one. */
static void start(struct directory_watch *watch, const int *fds, size_t n)
{
	directory_watch_stop(watch);
	watch->directories = calloc(n + 1, sizeof *watch->directories);
	watch->changed = calloc(CHANGED_MAX, sizeof *watch->changed);
	if (watch->directories && watch->changed)
		watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	while (watch->fd >= 0 && watch->n < n)
		if (add(watch, fds[watch->n]) < 0)
			directory_watch_stop(watch);
}

static bool is_changed(const struct directory_watch *watch, int wd, const char *name)
{
	size_t i;

	for (i = 0; i < watch->n_changed; i++)
		if (watch->changed[i].wd == wd && strcmp(watch->changed[i].name, name) == 0)
			return true;
	return false;
}

/* False for an event after which the watch must begin anew: one of a directory itself, which may be
 * watched no longer, or of events that were lost. */
static bool take_event(struct directory_watch *watch, const struct inotify_event *event)
{
	struct changed_file *changed = &watch->changed[watch->n_changed];

	if (event->wd < 0 || !event->len || strnlen(event->name, event->len) > NAME_MAX)
		return false;
	if (is_changed(watch, event->wd, event->name))
		return true;
	if (watch->n_changed == CHANGED_MAX)
		return false;
	changed->wd = event->wd;
	memcpy(changed->name, event->name, strlen(event->name) + 1);
	watch->n_changed++;
	return true;
}

/* All events of one read. */
static bool take_events(struct directory_watch *watch, const char *events, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const struct inotify_event *event = (const void *)(events + at);

		if (!take_event(watch, event))
			return false;
		at += sizeof *event + event->len;
	}
	return true;
}

/* Everything that has happened until now; false when that can't be known. */
static bool take_all(struct directory_watch *watch)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t got;
	int reads;

	watch->n_changed = 0;
	for (reads = 0; reads < READS_MAX; reads++) {
		got = read(watch->fd, events, sizeof events);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN;
		if (got == 0 || !take_events(watch, events, (size_t)got))
			return false;
	}
	return false;
}

void directory_watch_ask(struct directory_watch *watch, const int *fds, size_t n)
{
	watch->told_all = are_same(watch, fds, n) && take_all(watch);
	if (!watch->told_all)
		start(watch, fds, n);
}

ssize_t directory_watch_count_changed(const struct directory_watch *watch)
{
	return watch->told_all ? (ssize_t)watch->n_changed : -1;
}

const char *directory_watch_changed(const struct directory_watch *watch, size_t i, size_t *dir)
{
	/* events come from watched directories only */
	for (*dir = 0; *dir + 1 < watch->n; (*dir)++)
		if (watch->directories[*dir].wd == watch->changed[i].wd)
			break;
	return watch->changed[i].name;
}

void directory_watch_stop(struct directory_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch->directories);
	free(watch->changed);
	*watch = DIRECTORY_WATCH_INIT;
}
