#include "cgi/directory/coverage_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/log.h"

/* Whoever meant a name with a comma in it is told that there is no directory of that name. */
static const char *comma_hint(bool split)
{
	return split ? "; GOCOVERDIR was split at its comma, since there is no directory that has "
		       "the comma in its name"
		     : "";
}

static int refuse(const char *path, int errnum, bool split, struct error *err)
{
	switch (errnum) {
	case ENOENT:
		return error_set(
		    err, ERROR_UNAVAILABLE,
		    "GOCOVERDIR %s does not exist: no process has been started with it "
		    "yet, or the path is another one in this container; create it and "
		    "start the service with GOCOVERDIR set to it%s",
		    path, comma_hint(split));
	case ENOTDIR:
		return error_set(err, ERROR_INTERNAL,
				 "GOCOVERDIR %s is not a directory: set it to the directory that "
				 "the service writes its coverage files to%s",
				 path, comma_hint(split));
	case EACCES:
		return error_set(
		    err, ERROR_INTERNAL,
		    "GOCOVERDIR %s can't be read by uid %lu, the user of this process: "
		    "give that user read and search permission on it and on the "
		    "directories above it, or run goverage as the service's user",
		    path, (unsigned long)geteuid());
	}
	return error_errno(err, ERROR_INTERNAL, errnum, "can't open GOCOVERDIR %s", path);
}

static bool is_open_already(const struct coverage_dirs *dirs, int fd)
{
	struct stat new, old;
	size_t i;

	if (dirs->paths.n == 0 || fstat(fd, &new) < 0)
		return false;
	for (i = 0; i < dirs->paths.n; i++)
		if (fstat(dirs->fds[i], &old) == 0 &&
		    new.st_dev == old.st_dev &&new.st_ino == old.st_ino)
			return true;
	return false;
}

/* What the kernel says behind the path of a directory that is gone. */
static bool is_gone(const char *real, size_t len)
{
	static const char deleted[] = " (deleted)";
	size_t n = sizeof deleted - 1;

	return len > n && memcmp(real + len - n, deleted, n) == 0;
}

/* The path without links of what is open; the kernel knows it at once, where /proc is there. */
static char *real_path(int fd, const char *path)
{
	char link[64], real[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, real, sizeof real);
	if (len > 0 && (size_t)len < sizeof real && real[0] == '/' && !is_gone(real, (size_t)len))
		return strndup(real, (size_t)len);
	return realpath(path, NULL);
}

/* Open it to be listed; to find the name behind it, it has to be searched as well. */
static int open_to_search(const char *path)
{
	cleanup_free char *itself = NULL;

	if (asprintf(&itself, "%s/.", path) < 0)
		return -1;
	return open(itself, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* split: the path is a part of a list. */
static int open_one(struct coverage_dirs *dirs, const char *path, bool split, struct error *err)
{
	cleanup_fd int fd = open_to_search(path);
	cleanup_free char *real = NULL;

	real = fd < 0 ? NULL : real_path(fd, path);
	if (!real)
		return refuse(path, errno, split, err);
	if (is_open_already(dirs, fd)) {
		log_line("GOCOVERDIR names %s more than once: its files count once", real);
		return 0;
	}
	if (dirs->paths.n == COVERAGE_MAX_DIRS)
		return error_set(err, ERROR_INTERNAL,
				 "GOCOVERDIR names more than %d directories: join some of them "
				 "with covdata merge",
				 COVERAGE_MAX_DIRS);
	if (string_list_add(&dirs->paths, real, strlen(real)) < 0)
		return error_no_memory(err);
	dirs->fds[dirs->paths.n - 1] = steal_fd(&fd);
	return 0;
}

static bool is_directory(const char *list, size_t len)
{
	cleanup_free char *path = strndup(list, len);
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

size_t coverage_dirs_element(const char *list)
{
	size_t shortest = strcspn(list, ","), len = strlen(list), commas = 0;

	/* the longest that is there; of more commas no path is made */
	for (; len > shortest && commas < COVERAGE_MAX_DIRS; commas++) {
		if (is_directory(list, len))
			return len;
		len = (size_t)((const char *)memrchr(list, ',', len) - list);
	}
	return shortest;
}

int coverage_dirs_open(struct coverage_dirs *dirs, const char *gocoverdir, struct error *err)
{
	const char *element = gocoverdir;

	dirs->paths = STRING_LIST_INIT;
	for (;;) {
		size_t len = coverage_dirs_element(element);
		cleanup_free char *path = NULL;

		if (len == 0)
			return error_set(err, ERROR_INTERNAL,
					 "GOCOVERDIR is \"%.300s\", which has an empty element: "
					 "put one comma between two directories, and none at the "
					 "ends",
					 gocoverdir);
		path = strndup(element, len);
		if (!path)
			return error_no_memory(err);
		if (open_one(dirs, path, element[len] || element > gocoverdir, err) < 0)
			return -1;
		if (element[len] == '\0')
			return 0;
		element += len + 1;
	}
}

int coverage_dirs_reopen(struct coverage_dirs *dirs, const struct string_list *paths,
			 struct error *err)
{
	size_t i;

	dirs->paths = STRING_LIST_INIT;
	for (i = 0; i < paths->n; i++)
		if (open_one(dirs, paths->items[i].text, false, err) < 0)
			return -1;
	return 0;
}

void coverage_dirs_close(struct coverage_dirs *dirs)
{
	size_t i;

	for (i = 0; i < dirs->paths.n; i++)
		close(dirs->fds[i]);
	string_list_free(&dirs->paths);
}
