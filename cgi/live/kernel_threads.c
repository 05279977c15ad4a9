#include "cgi/live/kernel_threads.h"

enum thread_kind kernel_threads_ask(const struct kernel_threads *known, struct proc_entry entry)
{
	uint64_t key = proc_entry_key(entry);
	uint64_t slot = atomic_load(&known->slots[(uint64_t)entry.pid % KERNEL_THREADS_MAX]);

	return key && (slot & ~(uint64_t)3) == key ? (enum thread_kind)(slot & 3) : THREAD_UNKNOWN;
}

void kernel_threads_tell(struct kernel_threads *known, struct proc_entry entry,
			 enum thread_kind kind)
{
	uint64_t key = proc_entry_key(entry);

	if (key)
		atomic_store(&known->slots[(uint64_t)entry.pid % KERNEL_THREADS_MAX], key | kind);
}
