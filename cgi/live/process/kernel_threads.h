/*
 * Which processes are threads of the kernel, remembered from scan to scan: they have no
 * environment, and on a machine with few services they are most of what /proc lists.
 *
 * A process is known by its number and by the inode number that the directory of /proc tells beside
 * it.  The inode belongs to the process, not to the number: another process with the same number
 * has another one.  Nothing else is remembered than that a process is a kernel thread, which never
 * runs a program; what may run one is looked at each time.
 */
#ifndef GOVERAGE_LIVE_PROCESS_KERNEL_THREADS_H
#define GOVERAGE_LIVE_PROCESS_KERNEL_THREADS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { KERNEL_THREADS_MAX = 4096 }; /* a power of two; whoever comes later takes the place */

/* All zeros: nothing is known.  For any number of threads. */
struct kernel_threads {
	_Atomic uint64_t slots[KERNEL_THREADS_MAX];
};

/* Is it known to be one? */
bool kernel_threads_ask(const struct kernel_threads *known, pid_t pid, uint64_t inode);

/* It is one. */
void kernel_threads_tell(struct kernel_threads *known, pid_t pid, uint64_t inode);

#endif
