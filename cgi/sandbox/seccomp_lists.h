/* The system calls of both profiles of the process; see seccomp_filter.h for the rules on top. */
#ifndef GOVERAGE_SANDBOX_SECCOMP_LISTS_H
#define GOVERAGE_SANDBOX_SECCOMP_LISTS_H

#include <stddef.h>

struct call_list {
	const unsigned short *numbers;
	size_t n;
};

/*
 * All that a process that starts no program has a use for: its libraries (glibc and musl, the
 * sanitizers too) included.
 */
extern const struct call_list calls_needed;

/*
 * What a process that starts covdata, go, or a script around them may not: nothing of it is of use
 * to a reader of files.  By classes: network, other processes, mounts, identity, kernel.
 */
extern const struct call_list calls_refused;

#endif
