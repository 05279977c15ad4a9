#include "cgi/live/find/plain_processes.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t key_of(pid_t pid, const struct process_stat *stat)
{
	uint64_t key = mix(mix(1, (uint64_t)pid), stat->start_ticks);

	key = mix(mix(key, stat->start_code), stat->start_stack);
	key = mix(mix(key, stat->env_start), stat->virtual_bytes);
	return key | 1; /* 0 = free */
}

bool plain_processes_have(const struct plain_processes *known, pid_t pid,
			  const struct process_stat *stat)
{
	return atomic_load(&known->slots[(uint64_t)pid % PLAIN_PROCESSES_MAX]) == key_of(pid, stat);
}

void plain_processes_add(struct plain_processes *known, pid_t pid, const struct process_stat *stat)
{
	atomic_store(&known->slots[(uint64_t)pid % PLAIN_PROCESSES_MAX], key_of(pid, stat));
}
