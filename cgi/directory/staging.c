#include "cgi/directory/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cgi/base/log.h"

#define ROOT_BASE "" /* of a container that has nothing but us in it */

enum {
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	MAKE_TRIES = 10,
	RANDOM_CHARS = 6,  /* of mkdtemp(3) */
	REMOVE_TRIES = 10, /* see open_patiently() */
	REMOVE_PAUSE_MS = 10,
};

const char *staging_disk_base(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && dir[0] == '/' && !strchr(dir, ',') ? dir : "/tmp";
}

/* Is there no other place than the root directory, in a container that has nothing else? */
static bool root_is_all(void)
{
	return access(staging_disk_base(), F_OK) < 0;
}

static void name_prefix(char *out, size_t room)
{
	snprintf(out, room, "goverage-fcgi-%lu-", (unsigned long)geteuid());
}

/* --- removing -------------------------------------------------------------------------------- */

/* As getdents64(2) gives it. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

/*
 * A descriptor for the subdirectory.  Where there is none to be had this waits a moment for other
 * requests to give theirs back: what is not removed now stays until the next start.
 */
static int open_patiently(int parent_fd, const char *name)
{
	const struct timespec pause = {0, REMOVE_PAUSE_MS * 1000000};
	int tries, fd = -1;

	for (tries = 0; fd < 0 && tries < REMOVE_TRIES; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		fd = openat(parent_fd, name, DIR_FLAGS);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			break;
	}
	return fd;
}

static bool remove_tree(int fd, int depth);

static bool remove_entry(int parent_fd, const char *name, int depth)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (unlinkat(parent_fd, name, 0) == 0)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return false;
	if (depth > 0) {
		cleanup_fd int sub = open_patiently(parent_fd, name);

		while (sub >= 0 && remove_tree(sub, depth - 1))
			;
	}
	return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0;
}

/* One walk through the entries of a directory; whether anything was removed. */
static bool remove_tree(int fd, int depth)
{
	_Alignas(struct entry) char room[4096];
	bool removed = false;
	long n, at;

	lseek(fd, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, fd, room, sizeof room)) > 0) {
		for (at = 0; at < n;) {
			const struct entry *entry = (const struct entry *)(room + at);

			removed |= remove_entry(fd, entry->name, depth);
			at += entry->size;
		}
	}
	return removed;
}

/*
 * Remove every entry of the directory; those that are directories themselves, `depth` levels deep.
 * This takes neither memory nor a descriptor for the directory, which may be what there is none of.
 */
static void empty_directory(int fd, int depth)
{
	while (remove_tree(fd, depth))
		;
}

void staging_remove_subdir(const struct staging *staging, const char *name)
{
	cleanup_fd int fd = open_patiently(staging->fd, name);

	if (fd < 0)
		return;
	empty_directory(fd, 0);
	unlinkat(staging->fd, name, AT_REMOVEDIR);
}

void staging_close(struct staging *staging)
{
	if (staging->fd >= 0) {
		empty_directory(staging->fd, 1);
		if (rmdir(staging->path) < 0)
			log_line("can't remove %s: %s", staging->path, strerror(errno));
		close(staging->fd);
	}
	free(staging->path);
	*staging = STAGING_INIT;
}

/* --- making ---------------------------------------------------------------------------------- */

/* Between mkdtemp and the lock a sweeper of another process may have taken and removed it. */
static bool is_still_linked(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* 1 = done, 0 = lost to a sweeper, -1 = error. */
static int try_to_make(struct staging *staging, const char *base, struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -1;
	char prefix[64];

	name_prefix(prefix, sizeof prefix);
	if (asprintf(&path, "%s/%sXXXXXX", base, prefix) < 0) {
		path = NULL;
		return error_no_memory(err);
	}
	if (!mkdtemp(path))
		return error_errno(err, ERROR_INTERNAL, errno,
				   "can't make a private directory in %s: set TMPDIR to a "
				   "directory that uid %lu can write",
				   *base ? base : "/", (unsigned long)geteuid());
	fd = open(path, DIR_FLAGS);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		error_errno(err, ERROR_INTERNAL, errno, "can't open the private directory %s",
			    path);
		rmdir(path);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_still_linked(fd, path)) {
		rmdir(path); /* where it is ours still: a sweeper leaves none */
		return 0;
	}
	staging->path = steal_ptr(path);
	staging->fd = steal_fd(&fd);
	return 1;
}

static int make_in(struct staging *staging, const char *base, struct error *err)
{
	int tries, done;

	for (tries = 0; tries < MAKE_TRIES; tries++) {
		done = try_to_make(staging, base, err);
		if (done)
			return done < 0 ? -1 : 0;
	}
	return error_set(err, ERROR_UNAVAILABLE,
			 "can't keep a private directory in %s: something removes it at once",
			 base);
}

int staging_open(struct staging *staging, struct error *err)
{
	struct error unused;

	*staging = STAGING_INIT;
	if (make_in(staging, STAGING_MEMORY_BASE, &unused) == 0 ||
	    make_in(staging, staging_disk_base(), err) == 0)
		return 0;
	return root_is_all() ? make_in(staging, ROOT_BASE, &unused) : -1;
}

int staging_subdir(const struct staging *staging, const char *name, struct error *err)
{
	int fd;

	if (mkdirat(staging->fd, name, 0700) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make %s/%s", staging->path,
				   name);
	fd = openat(staging->fd, name, DIR_FLAGS);
	if (fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't open %s/%s", staging->path,
				   name);
	return fd;
}

/* --- sweeping -------------------------------------------------------------------------------- */

/* Exactly what mkdtemp makes of our template: other names with our prefix are other things. */
static bool is_staging_name(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && strlen(name + len) == RANDOM_CHARS &&
	       strspn(name + len,
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
		   RANDOM_CHARS;
}

static void sweep_entry(int base_fd, const char *base, const char *name)
{
	cleanup_fd int fd = openat(base_fd, name, DIR_FLAGS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return; /* its owner lives */
	empty_directory(fd, 1);
	if (unlinkat(base_fd, name, AT_REMOVEDIR) == 0)
		log_line("removed %s/%s, left behind by a killed process", base, name);
}

static void sweep_base(const char *base)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	char prefix[64];
	int fd = open(*base ? base : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	name_prefix(prefix, sizeof prefix);
	while ((entry = readdir(dir)))
		if (is_staging_name(entry->d_name, prefix))
			sweep_entry(fd, base, entry->d_name);
}

void staging_sweep(void)
{
	sweep_base(STAGING_MEMORY_BASE);
	sweep_base(staging_disk_base());
	if (root_is_all())
		sweep_base(ROOT_BASE);
}
