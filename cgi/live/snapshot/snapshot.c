#include "cgi/live/live.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cgi/live/snapshot/process_reader.h"

enum {
	STACK = 512 << 10,
	/* a process may take that long, of the time that is left an nth at most; later ones less */
	PATIENCE_MS = 2000,
	PATIENCE_PARTS = 4,
	LATER_PATIENCE_MS = 400,
	LATER_PATIENCE_PARTS = 8,
};

/* One look at all processes: what the helper threads need, and what they find. */
struct sweep {
	atomic_uint users; /* threads that are stuck use it for as long as they are */
	struct steps steps;
	struct live_cache *cache; /* one user of it */
	struct watched_dirs watched;
	struct string_list services;
	struct deadline deadline;
	int proc_fd; /* owned */
	struct boot_clock clock;
	bool with_files; /* snapshots are wanted */
	struct process_ids ids;
	struct candidates candidates;
	bool found;  /* all candidates */
	size_t next; /* candidate to be read */
	struct memory_files files;
	struct live_report report;
	struct fault fault;   /* of the thread whose turn it was last */
	struct fault failure; /* of the one that waits */
};

/* --- in the helper threads ------------------------------------------------------------------- */

struct helper {
	struct sweep *sweep; /* one user of it */
	struct turn turn;
};

static struct reading reading_of(struct sweep *sweep, struct turn *turn)
{
	return (struct reading){.cache = sweep->cache,
				.watched = &sweep->watched,
				.services = &sweep->services,
				.proc_fd = sweep->proc_fd,
				.out = sweep->with_files ? &sweep->files : NULL,
				.deadline = &sweep->deadline,
				.clock = sweep->clock,
				.report = &sweep->report,
				.turn = turn};
}

static int see_stuck(void *context, pid_t pid, struct fault *fault)
{
	return process_report_stuck(context, pid, fault);
}

static int find_all(struct sweep *sweep, struct reading *reading, struct fault *fault)
{
	struct discovery discovery = {.proc_fd = sweep->proc_fd,
				      .watched = &sweep->watched,
				      .cache = sweep->cache,
				      .clock = &sweep->clock,
				      .deadline = &sweep->deadline,
				      .turn = reading->turn,
				      .ids = &sweep->ids,
				      .candidates = &sweep->candidates,
				      .stuck = see_stuck,
				      .context = reading};

	if (!sweep->found && discover(&discovery, fault) < 0)
		return -1;
	sweep->found = true;
	return 0;
}

/* The number of a candidate is what a later scan knows it by. */
static uint64_t inode_of(const struct sweep *sweep, pid_t pid)
{
	size_t i;

	for (i = 0; i < sweep->ids.n; i++)
		if (sweep->ids.list[i].pid == pid)
			return sweep->ids.list[i].inode;
	return 0;
}

static int read_all(struct sweep *sweep, struct reading *reading, struct fault *fault)
{
	while (sweep->next < sweep->candidates.n) {
		const struct candidate *candidate = &sweep->candidates.list[sweep->next++];
		struct step step = {candidate->pid, inode_of(sweep, candidate->pid)};

		if (!turn_begin(reading->turn, &step))
			return fault_turn_over(fault);
		if (process_read(reading, candidate, fault) < 0)
			return -1;
		if (!turn_end(reading->turn))
			return fault_turn_over(fault);
	}
	return 0;
}

static void sweep_put(struct sweep *sweep)
{
	if (atomic_fetch_sub(&sweep->users, 1) != 1)
		return;
	steps_destroy(&sweep->steps);
	watched_dirs_close(&sweep->watched);
	string_list_free(&sweep->services);
	process_ids_free(&sweep->ids);
	candidates_free(&sweep->candidates);
	memory_files_free(&sweep->files);
	live_report_free(&sweep->report);
	if (sweep->proc_fd >= 0)
		close(sweep->proc_fd);
	live_cache_free(sweep->cache);
	free(sweep);
}

static void *help(void *context)
{
	struct helper *helper = context;
	struct sweep *sweep = helper->sweep;
	struct reading reading = reading_of(sweep, &helper->turn);
	struct fault fault = FAULT_INIT;

	if (find_all(sweep, &reading, &fault) == 0)
		(void)!read_all(sweep, &reading, &fault);
	if (turn_end(&helper->turn)) {
		sweep->fault = fault;
		turn_finish(&helper->turn);
	}
	free(helper);
	sweep_put(sweep);
	return NULL;
}

/* --- in the thread that waits ---------------------------------------------------------------- */

/* Where there can be no thread, this one does it, and may wait for long. */
static int start_helper(struct sweep *sweep)
{
	struct helper *helper = calloc(1, sizeof *helper);
	pthread_attr_t attributes;
	pthread_t thread;
	int rc;

	if (!helper)
		return fault_no_memory(&sweep->failure);
	helper->sweep = sweep;
	helper->turn =
	    (struct turn){.steps = &sweep->steps, .number = steps_next_turn(&sweep->steps)};
	atomic_fetch_add(&sweep->users, 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attributes, help, helper);
	pthread_attr_destroy(&attributes);
	if (rc != 0)
		help(helper);
	return 0;
}

static int64_t patience_ms(const struct sweep *sweep, unsigned stuck)
{
	int64_t most = stuck ? LATER_PATIENCE_MS : PATIENCE_MS;
	int64_t part =
	    deadline_left_ms(&sweep->deadline) / (stuck ? LATER_PATIENCE_PARTS : PATIENCE_PARTS);

	return part < most ? part : most;
}

static int too_late(struct sweep *sweep)
{
	if (fault_check_deadline(&sweep->deadline, &sweep->failure) < 0)
		return -1;
	fault_set(&sweep->failure, FAULT_REQUEST,
		  "%d threads wait for file systems that running processes name and that do not "
		  "answer: bring them back, or end those processes, which the log names",
		  STUCK_MAX);
	sweep->failure.class = ERROR_UNAVAILABLE;
	return -1;
}

/* Those that were given up come before their turn. */
static void sort_report(struct live_report *report)
{
	size_t i, k;

	for (i = 1; i < report->n; i++) {
		struct live_process line = report->processes[i];

		for (k = i; k > 0 && report->processes[k - 1].pid > line.pid; k--)
			report->processes[k] = report->processes[k - 1];
		report->processes[k] = line;
	}
}

/* 0, or -1 with sweep->failure; no thread but stuck ones is at work any more. */
static int sweep_all(struct sweep *sweep)
{
	struct reading reading = reading_of(sweep, NULL);
	enum steps_result result = STEPS_STUCK;
	unsigned stuck;
	struct step step;

	for (stuck = 0; result == STEPS_STUCK; stuck++) {
		if (start_helper(sweep) < 0)
			return -1;
		result =
		    steps_wait(&sweep->steps, patience_ms(sweep, stuck), &sweep->deadline, &step);
		if (result == STEPS_TOO_LATE)
			return too_late(sweep);
		if (result == STEPS_STUCK &&
		    process_report_stuck(&reading, step.pid, &sweep->failure) < 0)
			return -1;
	}
	sort_report(&sweep->report);
	sweep->failure = sweep->fault;
	return sweep->fault.kind == FAULT_REQUEST ? -1 : 0;
}

static int copy_list(struct string_list *to, const struct string_list *from)
{
	size_t i;

	for (i = 0; from && i < from->n; i++)
		if (string_list_add(to, from->items[i].text, strlen(from->items[i].text)) < 0)
			return -1;
	return 0;
}

static int prepare(struct sweep *sweep, const struct string_list *dirs,
		   const struct string_list *services, struct error *err)
{
	sweep->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sweep->proc_fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno,
				   "opening /proc, without which running processes can't be read "
				   "(mount it, or set GOVERAGE_LIVE=off)");
	if (copy_list(&sweep->services, services) < 0)
		return error_no_memory(err);
	return watched_dirs_open(&sweep->watched, dirs, err);
}

int live_snapshot(struct live_cache *cache, const struct string_list *dirs,
		  const struct string_list *services, struct memory_files *out,
		  const struct deadline *deadline, struct live_report *report, struct error *err)
{
	struct sweep *sweep = calloc(1, sizeof *sweep);
	int result;

	if (!sweep)
		return error_no_memory(err);
	atomic_init(&sweep->users, 1);
	sweep->cache = live_cache_use(cache);
	steps_init(&sweep->steps, cache_stuck_processes(cache));
	sweep->deadline = *deadline;
	sweep->clock = boot_clock_read();
	sweep->with_files = out != NULL;
	result = prepare(sweep, dirs, services, err);
	if (result == 0 && sweep_all(sweep) < 0)
		result = fault_to_error(&sweep->failure, err);
	if (result == 0) {
		*report = sweep->report;
		sweep->report = LIVE_REPORT_INIT;
		if (out)
			*out = sweep->files;
		sweep->files = MEMORY_FILES_INIT;
	}
	sweep_put(sweep);
	return result;
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
