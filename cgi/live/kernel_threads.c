#include "cgi/live/kernel_threads.h"

/* The inode number, which Linux makes of 32 bits, the number of the process, and what it is. */
static uint64_t key_of(pid_t pid, uint64_t inode)
{
	return inode > 0 && inode <= UINT32_MAX && pid > 0 && pid < 1 << 30
		   ? inode << 32 | (uint64_t)pid << 2
		   : 0;
}

enum thread_kind kernel_threads_ask(const struct kernel_threads *known, pid_t pid, uint64_t inode)
{
	uint64_t key = key_of(pid, inode);
	uint64_t slot = atomic_load(&known->slots[(uint64_t)pid % KERNEL_THREADS_MAX]);

	return key && (slot & ~(uint64_t)3) == key ? (enum thread_kind)(slot & 3) : THREAD_UNKNOWN;
}

void kernel_threads_tell(struct kernel_threads *known, pid_t pid, uint64_t inode,
			 enum thread_kind kind)
{
	uint64_t key = key_of(pid, inode);

	if (key)
		atomic_store(&known->slots[(uint64_t)pid % KERNEL_THREADS_MAX], key | kind);
}
