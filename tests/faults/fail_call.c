/*
 * Preloaded into the program under test: makes the Nth call of chosen library functions fail, or
 * wait, and shifts the clock of the day.  What to do stands in a small file that the test and the
 * program both map, so that a process which runs can be told at any time.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The layout is known to fail_call.py. */
struct control {
	char functions[256];   /* " open openat ": the names, each between blanks */
	_Atomic int64_t at;    /* the call that fails, from 1; 0 = none, they are counted alone */
	_Atomic int64_t count; /* calls so far; -1 = nothing is looked at */
	_Atomic int64_t fired; /* how many have failed */
	int64_t errnum;	       /* with which errno */
	int64_t callers;       /* 0 = all, 1 = all but those libraries, 2 and above = the one */
	int64_t delay_ms;      /* each of these calls waits so long, and does not fail */
	_Atomic int64_t shift_ns; /* CLOCK_REALTIME is off by this */
};

static struct control *control;

/* Libraries that do not survive each failure themselves. */
static const char *const libraries[] = {"/libfcgi.so", "/libjson-c.so", "/libonig.so"};

/* Inside of a call of the library that is counted itself. */
static __thread int inside;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("FAIL_CALL_CONTROL");
	long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR) : -1;
	void *map;
	if (fd < 0)
		return;
	map = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED,
			      fd, 0);
	syscall(SYS_close, fd);
	if (map != MAP_FAILED)
		control = map;
}

/* Which of the libraries it is, from 1; 0 = none. */
static int is_library(const void *caller)
{
	Dl_info info;
	int i;

	if (!control->callers || !dladdr(caller, &info) || !info.dli_fname)
		return 0;
	for (i = 0; i < 3; i++)
		if (strstr(info.dli_fname, libraries[i]))
			return i + 1;
	return 0;
}

static int is_chosen(const char *name, const void *caller)
{
	const char *at = control->functions;
	size_t len = strlen(name);
	int library;

	while ((at = strstr(at, name)) && (at[-1] != ' ' || at[len] != ' '))
		at += len;
	if (!at)
		return 0;
	library = is_library(caller);
	return control->callers == 0 ||
	       (control->callers == 1 ? !library : library == control->callers - 1);
}

static void wait_ms(int64_t ms)
{
	struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	syscall(SYS_nanosleep, &time, NULL);
}

/* Is this the call?  errno is set then. */
static int fails(const char *name, const void *caller)
{
	int before = errno, now;

	if (!control || inside || atomic_load(&control->count) < 0 || !is_chosen(name, caller))
		return 0;
	if (control->delay_ms) {
		wait_ms(control->delay_ms);
		atomic_fetch_add(&control->fired, 1);
	}
	now = atomic_fetch_add(&control->count, 1) + 1 == atomic_load(&control->at);
	errno = before;
	if (!now)
		return 0;
	atomic_fetch_add(&control->fired, 1);
	errno = (int)control->errnum;
	return 1;
}

#define CALLER __builtin_return_address(0)

/* The function that this one stands in front of; the linker asks nobody for memory to find it. */
#define REAL(name)                                                                                 \
	static __typeof__(name) *real;                                                             \
	if (!real)                                                                                 \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define WRAP(type, name, failure, parameters, arguments)                                           \
	type name parameters                                                                       \
	{                                                                                          \
		REAL(name);                                                                        \
		return fails(#name, CALLER) ? failure : real arguments;                            \
	}

WRAP(void *, malloc, NULL, (size_t n), (n))
WRAP(void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, NULL, (void *p, size_t size), (p, size))
WRAP(void *, reallocarray, NULL, (void *p, size_t n, size_t size), (p, n, size))
WRAP(void *, aligned_alloc, NULL, (size_t alignment, size_t size), (alignment, size))
/* These allocate inside of the C library, for somebody else. */
char *strdup(const char *text)
{
	REAL(strdup);
	char *copy;

	if (fails("strdup", CALLER))
		return NULL;
	inside++;
	copy = real(text);
	inside--;
	return copy;
}

WRAP(void *, mmap, MAP_FAILED, (void *at, size_t n, int prot, int flags, int fd, off_t offset),
     (at, n, prot, flags, fd, offset))
WRAP(ssize_t, read, -1, (int fd, void *to, size_t n), (fd, to, n))
WRAP(ssize_t, pread, -1, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
WRAP(ssize_t, write, -1, (int fd, const void *from, size_t n), (fd, from, n))
WRAP(ssize_t, pwrite, -1, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
WRAP(int, pipe2, -1, (int fds[2], int flags), (fds, flags))
WRAP(int, eventfd, -1, (unsigned value, int flags), (value, flags))
WRAP(int, signalfd, -1, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(int, dup2, -1, (int from, int to), (from, to))
WRAP(int, poll, -1, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
WRAP(int, stat, -1, (const char *path, struct stat *st), (path, st))
WRAP(int, lstat, -1, (const char *path, struct stat *st), (path, st))
WRAP(int, fstat, -1, (int fd, struct stat *st), (fd, st))
WRAP(int, fstatat, -1, (int fd, const char *path, struct stat *st, int flags),
     (fd, path, st, flags))
WRAP(int, access, -1, (const char *path, int mode), (path, mode))
WRAP(int, faccessat, -1, (int fd, const char *path, int mode, int flags), (fd, path, mode, flags))
WRAP(char *, realpath, NULL, (const char *path, char *to), (path, to))
WRAP(ssize_t, readlink, -1, (const char *path, char *to, size_t n), (path, to, n))
WRAP(ssize_t, readlinkat, -1, (int fd, const char *path, char *to, size_t n), (fd, path, to, n))
WRAP(DIR *, opendir, NULL, (const char *path), (path))
WRAP(DIR *, fdopendir, NULL, (int fd), (fd))
WRAP(struct dirent *, readdir, NULL, (DIR * dir), (dir))
WRAP(int, mkdir, -1, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, -1, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(char *, mkdtemp, NULL, (char *path), (path))
WRAP(int, symlinkat, -1, (const char *target, int fd, const char *path), (target, fd, path))
WRAP(int, renameat, -1, (int from, const char *name, int to, const char *as), (from, name, to, as))
WRAP(int, unlinkat, -1, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(int, unlink, -1, (const char *path), (path))
WRAP(int, rmdir, -1, (const char *path), (path))
WRAP(int, ftruncate, -1, (int fd, off_t size), (fd, size))
WRAP(off_t, lseek, -1, (int fd, off_t at, int whence), (fd, at, whence))
WRAP(int, inotify_init1, -1, (int flags), (flags))
WRAP(int, inotify_add_watch, -1, (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(int, fstatfs, -1, (int fd, struct statfs *st), (fd, st))
WRAP(int, fsync, -1, (int fd), (fd))
WRAP(int, flock, -1, (int fd, int operation), (fd, operation))
WRAP(ssize_t, process_vm_readv, -1,
     (pid_t pid, const struct iovec *to, unsigned long n_to, const struct iovec *from,
      unsigned long n_from, unsigned long flags),
     (pid, to, n_to, from, n_from, flags))
WRAP(int, pthread_create, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *argument),
     (thread, how, run, argument))
WRAP(int, prlimit, -1,
     (pid_t pid, enum __rlimit_resource what, const struct rlimit *now, struct rlimit *before),
     (pid, what, now, before))
WRAP(int, kill, -1, (pid_t pid, int number), (pid, number))
WRAP(pid_t, waitpid, -1, (pid_t pid, int *status, int flags), (pid, status, flags))
WRAP(int, accept4, -1, (int fd, struct sockaddr *from, socklen_t *len, int flags),
     (fd, from, len, flags))
WRAP(int, setsockopt, -1, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len))
WRAP(ssize_t, recv, -1, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))

/* --- those with arguments of any number ------------------------------------------------------ */

int open(const char *path, int flags, ...)
{
	REAL(open);
	mode_t mode = 0;
	va_list rest;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(rest, flags);
		mode = va_arg(rest, mode_t);
		va_end(rest);
	}
	return fails("open", CALLER) ? -1 : real(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	REAL(openat);
	mode_t mode = 0;
	va_list rest;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(rest, flags);
		mode = va_arg(rest, mode_t);
		va_end(rest);
	}
	return fails("openat", CALLER) ? -1 : real(dir, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	REAL(fcntl);
	va_list rest;
	void *argument;

	va_start(rest, command);
	argument = va_arg(rest, void *);
	va_end(rest);
	return fails("fcntl", CALLER) ? -1 : real(fd, command, argument);
}

long syscall(long number, ...)
{
	REAL(syscall);
	long a[6];
	va_list rest;
	int i;

	va_start(rest, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	/* the removal of private directories has nothing to fall back on */
	if (number != SYS_getdents64 && fails("syscall", CALLER))
		return -1;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int clone(int (*run)(void *), void *stack, int flags, void *argument, ...)
{
	REAL(clone);

	return fails("clone", CALLER) ? -1 : real(run, stack, flags, argument);
}

/* --- the clock ------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *time)
{
	REAL(clock_gettime);
	int rc = real(clock, time);
	int64_t shift = control ? atomic_load(&control->shift_ns) : 0, ns;

	if (rc == 0 && shift && clock == CLOCK_REALTIME) {
		ns = time->tv_nsec + shift % 1000000000;
		time->tv_sec += (time_t)(shift / 1000000000 + (ns >= 1000000000) - (ns < 0));
		time->tv_nsec = (long)(ns >= 1000000000 ? ns - 1000000000
				       : ns < 0		? ns + 1000000000
							: ns);
	}
	return rc;
}
