#include "cgi/live/find/discovery.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "cgi/live/find/evidence.h"

enum { SHARED_MEMORY = 1 }; /* KCMP_VM */

/*
 * The kernel starts programs of its own (modprobe, a handler of core dumps) from a thread that
 * looks like all others for a moment.
 */
static const int64_t kernel_thread_age_ns = 10 * (int64_t)1000000000;

static int add(struct candidates *candidates, const struct candidate *candidate,
	       struct fault *fault)
{
	struct candidate *list;

	if (candidates->n % 64 == 0) {
		list = realloc(candidates->list, (candidates->n + 64) * sizeof *list);
		if (!list)
			return fault_no_memory(fault);
		candidates->list = list;
	}
	candidates->list[candidates->n++] = *candidate;
	return 0;
}

/* 0 for a name that is no pid. */
static pid_t pid_of(const char *name)
{
	long pid = 0;

	for (; *name >= '0' && *name <= '9' && pid < 1L << 30; name++)
		pid = pid * 10 + (*name - '0');
	return *name ? 0 : (pid_t)pid;
}

struct scan {
	const struct discovery *d;
	int proc_fd;
	struct evidence evidence;
	struct kernel_threads *kernel_threads;
	struct buffer scratch;
	struct fault *fault;
};

/* Not all of them were seen: that is no fault of one process. */
static int cannot_list(struct scan *scan)
{
	struct error err = {0};

	error_errno(&err, ERROR_INTERNAL, errno, "the processes can't be listed");
	fault_set(scan->fault, FAULT_REQUEST, "%s", err.message);
	scan->fault->class = err.class;
	return -1;
}

/* What is there and can't be looked at is told when it is to be read. */
static int add_found(struct scan *scan, const struct candidate *candidate)
{
	if (!turn_end(scan->d->turn))
		return fault_turn_over(scan->fault);
	return add(scan->d->candidates, candidate, scan->fault);
}

static int see_readable(struct scan *scan, pid_t pid, bool unplaced)
{
	cleanup_process struct process process = PROCESS_INIT;
	struct candidate candidate = {.pid = pid, .unplaced = unplaced};
	struct fault why = FAULT_INIT;

	if (process_open(&process, scan->proc_fd, pid, &why) < 0) {
		if (why.kind == FAULT_REQUEST) {
			*scan->fault = why;
			return -1;
		}
		if (why.kind == FAULT_GONE || unplaced)
			return 0;
	}
	candidate.stat = process.stat;
	if (unplaced &&
	    plain_processes_have(cache_plain_processes(scan->d->cache), pid, &process.stat))
		return 0;
	return add_found(scan, &candidate);
}

static int see_hidden(struct scan *scan, pid_t pid, const struct process_stat *stat)
{
	struct candidate candidate = {.pid = pid, .hidden = true};
	int ours = evidence_says_ours(&scan->evidence, scan->proc_fd, pid, stat, scan->d->deadline,
				      scan->fault);

	return ours <= 0 ? ours : add_found(scan, &candidate);
}

static int see(struct scan *scan, pid_t pid, enum environment_result result,
	       const struct process_stat *stat)
{
	switch (result) {
	case ENVIRONMENT_OURS:
		return see_readable(scan, pid, false);
	case ENVIRONMENT_UNPLACED:
		return see_readable(scan, pid, true);
	case ENVIRONMENT_HIDDEN:
		return see_hidden(scan, pid, stat);
	case ENVIRONMENT_EXHAUSTED:
		return cannot_list(scan);
	case ENVIRONMENT_OTHER:
		break;
	}
	return 0;
}

/* It has shown no environment: it may be a thread of the kernel, or its first thread has ended. */
static int see_silent(struct scan *scan, pid_t pid, uint64_t inode)
{
	cleanup_process struct process process = PROCESS_INIT;
	struct fault ignored = FAULT_INIT;
	int64_t start_ns;

	if (process_open(&process, scan->proc_fd, pid, &ignored) < 0)
		return 0;
	if (process.tid != pid)
		return see(scan, pid,
			   environment_look_again(&process, scan->d->watched, &scan->scratch),
			   &process.stat);
	start_ns = boot_clock_unix_ns(scan->evidence.clock, process.stat.start_ticks);
	if (process.stat.of_kernel &&
	    scan->evidence.clock->now_ns - start_ns >= kernel_thread_age_ns)
		kernel_threads_tell(scan->kernel_threads, pid, inode);
	return 0;
}

static int see_process(struct scan *scan, pid_t pid, uint64_t inode)
{
	enum environment_result result;
	struct process_stat stat;

	if (kernel_threads_ask(scan->kernel_threads, pid, inode))
		return 0;
	result = environment_look(scan->proc_fd, pid, scan->d->watched, &scan->scratch, &stat);
	if (result == ENVIRONMENT_OTHER && !scan->scratch.len)
		return see_silent(scan, pid, inode);
	return see(scan, pid, result, &stat);
}

static int add_id(struct process_ids *ids, const struct step *id, struct fault *fault)
{
	struct step *list;

	if (ids->n % 256 == 0) {
		list = realloc(ids->list, (ids->n + 256) * sizeof *list);
		if (!list)
			return fault_no_memory(fault);
		ids->list = list;
	}
	ids->list[ids->n++] = *id;
	return 0;
}

static int list_processes(struct scan *scan)
{
	int fd = openat(scan->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	pid_t own = getpid();

	if (!dir) {
		cannot_list(scan);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (errno = 0, (entry = readdir(dir))) {
		struct step id = {pid_of(entry->d_name), entry->d_ino};

		if (id.pid > 0 && id.pid != own && add_id(scan->d->ids, &id, scan->fault) < 0)
			return -1;
	}
	if (errno)
		return cannot_list(scan);
	scan->d->ids->listed = true;
	return 0;
}

static int see_next(struct scan *scan)
{
	struct process_ids *ids = scan->d->ids;
	struct step id = ids->list[ids->next++];

	if (stuck_processes_have(cache_stuck_processes(scan->d->cache), &id))
		return scan->d->stuck ? scan->d->stuck(scan->d->context, id.pid, scan->fault) : 0;
	if (!turn_begin(scan->d->turn, &id))
		return fault_turn_over(scan->fault);
	if (see_process(scan, id.pid, id.inode) < 0)
		return -1;
	return turn_end(scan->d->turn) ? 0 : fault_turn_over(scan->fault);
}

static int look_at_all(struct scan *scan)
{
	struct process_ids *ids = scan->d->ids;

	if (!ids->listed && list_processes(scan) < 0)
		return -1;
	while (ids->next < ids->n)
		if (fault_check_deadline(scan->d->deadline, scan->fault) < 0 || see_next(scan) < 0)
			return -1;
	return 0;
}

static bool same_addresses(const struct process_stat *a, const struct process_stat *b)
{
	return a->start_code == b->start_code && a->start_stack == b->start_stack &&
	       a->arg_start == b->arg_start && a->env_start == b->env_start;
}

static int by_pid(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/*
 * A Go program starts others by a vfork: until the child's exec it has its parent's environment,
 * executable and memory.  Addresses are random, so that equal ones are as good as a proof; where
 * they are not random, kcmp(2) tells, if it is permitted.
 */
static bool shares_memory(const struct candidate *child, const struct candidates *all)
{
	struct candidate key = {.pid = child->stat.parent};
	const struct candidate *parent =
	    bsearch(&key, all->list, all->n, sizeof *all->list, by_pid);

	return parent && !parent->hidden && same_addresses(&parent->stat, &child->stat) &&
	       syscall(SYS_kcmp, child->pid, parent->pid, SHARED_MEMORY, 0, 0) <= 0;
}

static void leave_out_sharers(struct candidates *candidates)
{
	size_t i, kept = 0;
	cleanup_free bool *shares = calloc(candidates->n + 1, sizeof *shares);

	if (candidates->n)
		qsort(candidates->list, candidates->n, sizeof *candidates->list, by_pid);
	for (i = 0; shares && i < candidates->n; i++)
		shares[i] =
		    !candidates->list[i].hidden && shares_memory(&candidates->list[i], candidates);
	for (i = 0; i < candidates->n; i++)
		if (!shares || !shares[i])
			candidates->list[kept++] = candidates->list[i];
	candidates->n = kept;
}

int discover(const struct discovery *discovery, struct fault *fault)
{
	struct scan scan = {.d = discovery,
			    .proc_fd = discovery->proc_fd,
			    .evidence = {.watched = discovery->watched,
					 .cache = discovery->cache,
					 .clock = discovery->clock},
			    .kernel_threads = cache_kernel_threads(discovery->cache),
			    .fault = fault};
	int result = look_at_all(&scan);

	buffer_free(&scan.scratch);
	if (result == 0)
		leave_out_sharers(discovery->candidates);
	return result;
}

void process_ids_free(struct process_ids *ids)
{
	free(ids->list);
	*ids = PROCESS_IDS_INIT;
}

void candidates_free(struct candidates *candidates)
{
	free(candidates->list);
	*candidates = CANDIDATES_INIT;
}
