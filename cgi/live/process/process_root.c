#include "cgi/live/process/process_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* openat2(2) is Linux 5.6; the headers may be older than the kernel that runs this. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

struct open_how_v0 {
	uint64_t flags, mode, resolve;
};

enum { RESOLVE_INSIDE_ROOT = 0x10 }; /* RESOLVE_IN_ROOT */

static int open_in_root(int root_fd, const char *path)
{
	struct open_how_v0 how = {O_PATH | O_CLOEXEC, 0, RESOLVE_INSIDE_ROOT};
	long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN))
		return (int)fd;
	/* an old kernel, or a seccomp profile: right for all but absolute links in another root */
	while (*path == '/')
		path++;
	return openat(root_fd, *path ? path : ".", O_PATH | O_CLOEXEC);
}

int process_open_path(int dir_fd, const char *path)
{
	bool absolute = *path == '/';
	cleanup_fd int start =
	    openat(dir_fd, absolute ? "root" : "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (start < 0)
		return -1;
	return absolute ? open_in_root(start, path) : openat(start, path, O_PATH | O_CLOEXEC);
}

int open_regular(int path_fd)
{
	char name[64];
	struct stat st;

	if (fstat(path_fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(name, sizeof name, "/proc/self/fd/%d", path_fd);
	return open(name, O_RDONLY | O_CLOEXEC);
}
