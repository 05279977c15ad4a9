/* live_reconcile(): nothing is counted twice.  The rule stands in cgi/live/live.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cgi/directory/coverage_names.h"
#include "cgi/live/live.h"
#include "cgi/live/process/process.h"
#include "cgi/live/snapshot/counter_file.h"

enum {
	GRACE_S =
	    1, /* a file gets its time before its counters are read, and is written after that */
	END_WAIT_MS = 2,
	END_WAITS = 10,
};

struct reconciling {
	struct live_report *report;
	struct coverage_set *set;
	struct memory_files *snapshots;
	int proc_fd;
	const struct deadline *deadline;
	struct fault *fault;
};

bool live_is_own_file(const struct live_process *process, const struct coverage_file *file)
{
	return file->kind == COVERAGE_COUNTERS && file->pid == process->ns_pid &&
	       (int64_t)file->time_ns >= process->start_ns && coverage_tag_is(file, process->hash);
}

/* Was it written about when the snapshot was taken, or later? */
static bool is_recent(const struct live_process *process, const struct coverage_file *file)
{
	return (int64_t)file->time_ns >= process->read_ns - GRACE_S * (int64_t)1000000000;
}

/* Is the process still there?  Where that can't be told, r->fault says why. */
static bool is_running(const struct reconciling *r, const struct live_process *line)
{
	cleanup_process struct process process = PROCESS_INIT;
	struct fault why = FAULT_INIT;

	if (process_open(&process, r->proc_fd, line->pid, &why) == 0)
		return process.stat.start_ticks == line->start_ticks;
	if (why.kind == FAULT_REQUEST)
		*r->fault = why;
	return false;
}

/*
 * In containers several processes may have the same pid: a recent file is rather the last one of a
 * process that has ended than one of a process that goes on.
 */
static bool is_of_an_ended_one(const struct reconciling *r, const struct live_process *line,
			       const struct coverage_file *file)
{
	size_t i;

	for (i = 0; i < r->report->n; i++) {
		const struct live_process *other = &r->report->processes[i];

		if (other != line && other->hash && live_is_own_file(other, file) &&
		    is_recent(other, file) && !is_running(r, other))
			return is_running(r, line);
	}
	return false;
}

/* A process that has written its last file has ended in a moment. */
static bool ends_soon(const struct reconciling *r, const struct live_process *line)
{
	struct timespec pause = {0, END_WAIT_MS * 1000000L};
	unsigned i;

	for (i = 0; i < END_WAITS; i++) {
		if (!is_running(r, line))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

enum verdict { BOTH_STAY, DROP_SNAPSHOT, LEAVE_OUT_FILE };

static int read_own_file(const struct reconciling *r, const struct coverage_file *file,
			 struct counter_file *own)
{
	cleanup_fd int dir_fd =
	    open(r->set->dirs.items[file->dir].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return counter_file_unread(r->fault, r->set->dirs.items[file->dir].text);
	return counter_file_read(own, dir_fd, file->name, r->fault);
}

static int read_snapshot(const struct reconciling *r, const struct live_process *line,
			 struct counter_file *snapshot)
{
	const struct memory_file *file = memory_files_find(r->snapshots, line->counters_file);

	if (!file)
		return fault_set(r->fault, FAULT_GONE, "%s is no snapshot", line->counters_file);
	return counter_file_parse(snapshot, file->data, file->file.size, r->fault);
}

/* A file that can't be read or understood can't be compared: nothing is done about it.  -1 =
 * request. */
static int compare(const struct reconciling *r, const struct live_process *line,
		   const struct coverage_file *file, const struct counter_file *snapshot,
		   enum verdict *verdict)
{
	cleanup_counter_file struct counter_file own = COUNTER_FILE_INIT;
	bool recent = is_recent(line, file);

	*verdict = BOTH_STAY;
	if (!recent && line->mode != COUNTER_MODE_ATOMIC)
		return 0;
	if (read_own_file(r, file, &own) < 0)
		return r->fault->kind == FAULT_REQUEST ? -1 : 0;
	if (recent && counter_file_contains(&own, snapshot))
		*verdict = DROP_SNAPSHOT;
	else if (counter_file_contains(snapshot, &own))
		*verdict = LEAVE_OUT_FILE;
	else if (recent && ends_soon(r, line))
		*verdict = DROP_SNAPSHOT;
	return 0;
}

static void drop_snapshot(const struct reconciling *r, struct live_process *line)
{
	memory_files_remove(r->snapshots, line->counters_file);
	free(line->counters_file);
	line->counters_file = NULL;
	r->report->dropped_snapshots++;
}

/*
 * stays[i] becomes false for the files that the snapshot contains: they leave the set only if the
 * snapshot stays.
 */
static int judge_files(const struct reconciling *r, struct live_process *line,
		       const struct counter_file *snapshot, bool *stays)
{
	size_t i;

	for (i = 0; i < r->set->n_files; i++) {
		enum verdict verdict;

		if (!live_is_own_file(line, &r->set->files[i]) ||
		    is_of_an_ended_one(r, line, &r->set->files[i]))
			continue;
		if (fault_check_deadline(r->deadline, r->fault) < 0 ||
		    compare(r, line, &r->set->files[i], snapshot, &verdict) < 0 ||
		    r->fault->kind == FAULT_REQUEST)
			return -1;
		stays[i] = verdict != LEAVE_OUT_FILE;
		if (verdict == DROP_SNAPSHOT) {
			drop_snapshot(r, line);
			return 0;
		}
	}
	return 0;
}

static int leave_out_contained(const struct reconciling *r, const bool *stays)
{
	size_t before = r->set->n_files;
	struct error no_memory;

	if (!memchr(stays, false, before))
		return 0;
	if (coverage_set_keep(r->set, stays, &no_memory) < 0)
		return fault_no_memory(r->fault);
	r->report->superseded_files += before - r->set->n_files;
	return 0;
}

static bool has_own_file(const struct reconciling *r, const struct live_process *line)
{
	size_t i;

	for (i = 0; i < r->set->n_files; i++)
		if (live_is_own_file(line, &r->set->files[i]))
			return true;
	return false;
}

static int reconcile_process(const struct reconciling *r, struct live_process *line)
{
	cleanup_counter_file struct counter_file snapshot = COUNTER_FILE_INIT;
	cleanup_free bool *stays = NULL;

	if (!line->counters_file || line->mode == COUNTER_MODE_SET || !has_own_file(r, line))
		return 0;
	stays = malloc(r->set->n_files * sizeof *stays);
	if (!stays)
		return fault_no_memory(r->fault);
	memset(stays, true, r->set->n_files * sizeof *stays);
	if (read_snapshot(r, line, &snapshot) < 0 || judge_files(r, line, &snapshot, stays) < 0)
		return -1;
	return line->counters_file ? leave_out_contained(r, stays) : 0;
}

int live_reconcile(struct live_report *report, struct coverage_set *set,
		   struct memory_files *snapshots, const struct deadline *deadline,
		   struct error *err)
{
	cleanup_fd int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault fault = FAULT_INIT;
	struct reconciling r = {report, set, snapshots, proc_fd, deadline, &fault};
	size_t i;

	if (proc_fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't open /proc");
	for (i = 0; i < report->n; i++) {
		if (reconcile_process(&r, &report->processes[i]) == 0 &&
		    fault.kind != FAULT_REQUEST)
			continue;
		if (fault.kind != FAULT_REQUEST)
			return error_set(err, ERROR_INTERNAL, "%s", fault.reason);
		return fault_to_error(&fault, err);
	}
	return 0;
}
