/*
 * Cleanup attributes: a variable that owns something gives it back when it leaves its scope, on
 * every path; steal_*() hands the ownership on.  Each type of the program brings its own cleanup_*
 * macro in its own header; here are those for plain C values.
 */
#ifndef GOVERAGE_BASE_CLEANUP_H
#define GOVERAGE_BASE_CLEANUP_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup_with(fn) __attribute__((cleanup(fn)))

/* Ask the compiler to complain when the return value of a fallible function is dropped. */
#define must_check __attribute__((warn_unused_result))

static inline void cleanup_free_fn(void *p)
{
	free(*(void **)p);
}

/* close(2) is never retried: on Linux the descriptor is gone even when it reports EINTR. */
static inline void cleanup_fd_fn(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_dir_fn(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define cleanup_free cleanup_with(cleanup_free_fn)
#define cleanup_fd cleanup_with(cleanup_fd_fn)
#define cleanup_dir cleanup_with(cleanup_dir_fn)

/* Take the descriptor out of *fd, which is left at -1. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Take the pointer out of variable p (an lvalue), which is left NULL; the type is kept. */
#define steal_ptr(p)                                                                               \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#endif
