#include "cgi/live/live.h"

#include <errno.h>
#include <fcntl.h>

#include "cgi/live/snapshot/process_reader.h"

static int read_all(struct reading *reading, struct fault *fault)
{
	cleanup_candidates struct candidates candidates = CANDIDATES_INIT;
	size_t i;

	if (discover(&candidates, reading->proc_fd, reading->watched, reading->cache,
		     &reading->clock, reading->deadline, fault) < 0)
		return -1;
	for (i = 0; i < candidates.n; i++)
		if (process_read(reading, &candidates.list[i], fault) < 0)
			return -1;
	return 0;
}

int live_snapshot(struct live_cache *cache, const struct string_list *dirs,
		  const struct string_list *services, struct memory_files *out,
		  const struct deadline *deadline, struct live_report *report, struct error *err)
{
	cleanup_watched_dirs struct watched_dirs watched = WATCHED_DIRS_INIT;
	cleanup_fd int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault fault = FAULT_INIT;
	struct reading reading = {.cache = cache,
				  .watched = &watched,
				  .services = services,
				  .proc_fd = proc_fd,
				  .out = out,
				  .deadline = deadline,
				  .clock = boot_clock_read(),
				  .report = report};

	if (proc_fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno,
				   "opening /proc, without which running processes can't be read "
				   "(mount it, or set GOVERAGE_LIVE=off)");
	if (watched_dirs_open(&watched, dirs, err) < 0)
		return -1;
	if (read_all(&reading, &fault) < 0)
		return fault_to_error(&fault, err);
	return 0;
}

bool live_is_running(pid_t pid, uint64_t start_ticks)
{
	cleanup_fd int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault why = FAULT_INIT;
	struct process_stat stat;

	if (proc_fd < 0)
		return true;
	if (process_look(proc_fd, pid, &stat, &why) < 0)
		return why.kind != FAULT_GONE;
	return stat.start_ticks == start_ticks && stat.state != 'Z' && stat.state != 'X';
}
