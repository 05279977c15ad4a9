/*
 * The memory of another process, read without stopping it and without its knowledge:
 * process_vm_readv(2), and /proc/PID/mem where the former is not permitted (the seccomp profile of
 * a container may forbid the call alone).
 */
#ifndef GOVERAGE_LIVE_PROCESS_PROCESS_MEMORY_H
#define GOVERAGE_LIVE_PROCESS_PROCESS_MEMORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgi/live/process/memory.h"

struct process_memory {
	pid_t pid;
	int dir_fd;	/* /proc/PID; not owned */
	bool opened;	/* mem_fd and mem_errno mean something: from the first read on */
	int mem_fd;	/* /proc/PID/mem, bound to the address space it was opened on; -1 = none */
	int mem_errno;	/* why it can't be opened */
	int call_errno; /* why process_vm_readv is not used any more; 0 = it is */
};

#define PROCESS_MEMORY_INIT ((struct process_memory){.mem_fd = -1})

/*
 * Open the memory of the process whose /proc directory is dir_fd.  Never fails: what is not
 * permitted shows at the first read.
 */
void process_memory_open(struct process_memory *process, int dir_fd, pid_t pid);

void process_memory_close(struct process_memory *process);

#define cleanup_process_memory cleanup_with(process_memory_close)

/*
 * The memory as a source of bytes.  A read fails with FAULT_GONE when the process has ended (or
 * runs another program, where /proc/PID/mem tells), FAULT_DENIED when neither way is permitted,
 * FAULT_UNMAPPED with the count of bytes that were there.
 */
struct memory process_memory_source(struct process_memory *process);

/*
 * Has the process the same address space as when it was opened?  `at` is an address that could be
 * read before.  true also where only process_vm_readv is permitted: then the caller's own
 * comparison of what /proc says must do.
 */
bool process_memory_same(const struct process_memory *process, uint64_t at);

#endif
