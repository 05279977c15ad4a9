/*
 * Which process an entry of /proc stands for: its number, and the inode number that the directory
 * tells beside it.  The inode belongs to the process, not to the number: another process with the
 * same number has another one.  (After a while without use a process may get a new one, too.)
 */
#ifndef GOVERAGE_LIVE_PROC_ENTRY_H
#define GOVERAGE_LIVE_PROC_ENTRY_H

#include <stdint.h>
#include <sys/types.h>

struct proc_entry {
	pid_t pid;
	uint64_t inode; /* 0 = unknown */
};

/* Of both numbers; its lowest two bits are 0.  0 where it can't be made: Linux's inode numbers have
 * 32 bits. */
static inline uint64_t proc_entry_key(struct proc_entry entry)
{
	return entry.inode > 0 && entry.inode <= UINT32_MAX && entry.pid > 0 && entry.pid < 1 << 30
		   ? entry.inode << 32 | (uint64_t)entry.pid << 2
		   : 0;
}

#endif
