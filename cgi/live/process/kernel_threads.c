#include "cgi/live/process/kernel_threads.h"

/* The inode number, which Linux makes of 32 bits, and the number of the process; 0 = does not
 * fit. */
static uint64_t key_of(pid_t pid, uint64_t inode)
{
	return inode > 0 && inode <= UINT32_MAX && pid > 0 ? inode << 32 | (uint64_t)pid : 0;
}

bool kernel_threads_ask(const struct kernel_threads *known, pid_t pid, uint64_t inode)
{
	uint64_t key = key_of(pid, inode);

	return key && atomic_load(&known->slots[(uint64_t)pid % KERNEL_THREADS_MAX]) == key;
}

void kernel_threads_tell(struct kernel_threads *known, pid_t pid, uint64_t inode)
{
	uint64_t key = key_of(pid, inode);

	if (key)
		atomic_store(&known->slots[(uint64_t)pid % KERNEL_THREADS_MAX], key);
}
