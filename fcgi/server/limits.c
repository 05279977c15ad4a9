#include "fcgi/server/limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include "cgi/base/log.h"

/* Descriptors: of the process itself, and of a request in work. */
enum { OWN_DESCRIPTORS = 32, WORK_DESCRIPTORS = 32 };

static size_t worker_count(const struct settings *settings)
{
	long cpus;

	if (settings->workers)
		return (size_t)settings->workers;
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	return cpus > 2 ? (size_t)cpus : 2;
}

static size_t thread_count(size_t connections)
{
	return connections < LIMITS_THREADS ? connections : LIMITS_THREADS;
}

static size_t descriptors(const struct limits *limits)
{
	return OWN_DESCRIPTORS + limits->workers * WORK_DESCRIPTORS + limits->connections +
	       LIMITS_UNFINISHED;
}

struct limits limits_find(const struct settings *settings)
{
	size_t wanted = (size_t)settings->connections;
	struct limits limits = {worker_count(settings), wanted, thread_count(wanted)};
	struct rlimit allowed;

	if (getrlimit(RLIMIT_NOFILE, &allowed) < 0 || allowed.rlim_cur == RLIM_INFINITY)
		return limits;
	while (descriptors(&limits) > allowed.rlim_cur && limits.connections > 1) {
		limits.connections--;
		limits.threads = thread_count(limits.connections);
	}
	if (limits.connections < wanted)
		log_line("%zu connections at once, not %zu: there are no more than %llu "
			 "descriptors (ulimit -n)",
			 limits.connections, wanted, (unsigned long long)allowed.rlim_cur);
	return limits;
}
