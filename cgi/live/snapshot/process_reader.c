#include "cgi/live/snapshot/process_reader.h"

#include <string.h>
#include <time.h>

#include "cgi/base/called_name.h"
#include "cgi/live/find/meta_marks.h"
#include "cgi/live/process/permission.h"
#include "cgi/live/snapshot/counter_copy.h"
#include "cgi/live/snapshot/report.h"
#include "cgi/live/snapshot/snapshot_files.h"

enum {
	TRIES = 2,
	TRIES_STARTING = 20, /* of a process that is younger than that: */
	STARTING_NS = 1000000000,
	RETRY_PAUSE_MS = 5,
};

/* One program of the process that is being read. */
struct found {
	struct program_snapshot snapshot;
	const struct module *module;
};

struct subject {
	struct process process;
	struct process_memory memory;
	struct memory source;
	struct process_status status;
	struct string_list argv;
	bool named; /* argv and path have been asked for */
	char *path; /* of the executable; NULL where it may not be known */
	char *name; /* of the program; NULL until it is named */
	struct modules modules;
	struct found *found; /* one for each module at most */
	unsigned n_found;
	bool
	    unplaced; /* its programs are ours only if their meta-data lie in a watched directory */
	bool is_ours; /* it carries coverage that is ours, as far as could be seen */
};

static void subject_free(struct subject *subject)
{
	unsigned i;

	for (i = 0; i < subject->n_found; i++)
		program_snapshot_free(&subject->found[i].snapshot);
	free(subject->found);
	modules_free(&subject->modules);
	free(subject->path);
	free(subject->name);
	string_list_free(&subject->argv);
	process_memory_close(&subject->memory);
	process_close(&subject->process);
}

/* What its executable is called: "shop" of "/memfd:shop", a file in memory. */
static const char *executable_name(const char *path, size_t *len)
{
	static const char in_memory[] = "/memfd:";
	size_t prefix = sizeof in_memory - 1;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strncmp(path, in_memory, prefix) == 0)
		name = path + prefix;
	*len = strlen(name);
	return name;
}

/* As called_name.h has it; of a process without arguments the name of its executable. */
static int name_program(struct subject *subject)
{
	const struct string_item *argv0 = subject->argv.n ? &subject->argv.items[0] : NULL;
	const char *name = "";
	size_t len = 0;

	if (argv0)
		name = subject->path ? called_name(argv0->text, argv0->len, &len)
				     : called_name_unproved(argv0->text, argv0->len, &len);
	if (!len && subject->path)
		name = executable_name(subject->path, &len);
	free(subject->name);
	subject->name = strndup(name, len);
	return subject->name ? 0 : -1;
}

/* What can't be had stays unknown. */
static int learn_names(struct subject *subject, struct fault *fault)
{
	struct fault unknown = FAULT_INIT;

	if (subject->named)
		return 0;
	subject->named = true;
	subject->path = process_executable_path(&subject->process);
	if (process_command_line(&subject->process, &subject->argv, &unknown) < 0 &&
	    unknown.kind == FAULT_REQUEST) {
		*fault = unknown;
		return -1;
	}
	return name_program(subject) < 0 ? fault_no_memory(fault) : 0;
}

static bool selects(const struct reading *reading)
{
	return reading->services && reading->services->n;
}

static bool is_selected(const struct reading *reading, const struct subject *subject)
{
	return !selects(reading) ||
	       string_list_has(reading->services, subject->name, strlen(subject->name));
}

/* What every line about the process says.  -1 without memory. */
static int begin_line(const struct reading *reading, const struct subject *subject,
		      struct live_process *line)
{
	line->pid = subject->process.pid;
	line->ns_pid = subject->status.ns_pid;
	line->start_ns = boot_clock_unix_ns(&reading->clock, subject->process.stat.start_ticks);
	line->start_ticks = subject->process.stat.start_ticks;
	line->program = strdup(subject->name);
	line->executable = subject->path ? strdup(subject->path) : NULL;
	return line->program && (line->executable || !subject->path) ? 0 : -1;
}

static int report_failure(struct reading *reading, const struct subject *subject,
			  enum live_state state, const char *reason, struct fault *fault)
{
	cleanup_live_process struct live_process line = {0};

	if (!turn_end(reading->turn))
		return fault_turn_over(fault);
	if (begin_line(reading, subject, &line) < 0)
		return fault_no_memory(fault);
	line.state = state;
	line.reason = strdup(reason);
	if (!line.reason || report_add(reading->report, &line) < 0)
		return fault_no_memory(fault);
	return 0;
}

static int report_program(struct reading *reading, const struct subject *subject,
			  const struct found *found, struct fault *fault)
{
	cleanup_live_process struct live_process line = {0};
	const struct program_snapshot *snapshot = &found->snapshot;
	const char *goarch = elf_goarch(&found->module->exe->elf);

	if (begin_line(reading, subject, &line) < 0 ||
	    report_describe(&line, snapshot, &found->module->exe->build) < 0)
		return fault_no_memory(fault);
	if (found->module->path) {
		line.library = strdup(found->module->path);
		if (!line.library)
			return fault_no_memory(fault);
	}
	if (reading->out &&
	    snapshot_files_add(reading->out, snapshot, &subject->argv, goarch ? goarch : "unknown",
			       !program_has_meta(snapshot->program, reading->watched), &line,
			       fault) < 0)
		return -1;
	return report_add(reading->report, &line) < 0 ? fault_no_memory(fault) : 0;
}

/* Has a runtime of its own, and counters: in itself or in a plugin. */
static bool begins_program(const struct modules *modules, unsigned i)
{
	unsigned steps;
	int at = (int)i;

	if (modules_is_plugin(modules, i))
		return false;
	for (steps = 0; at >= 0 && steps < modules->n; steps++) {
		const struct moduledata *data = &modules->list[at].data;

		if (data->covctrs != data->ecovctrs)
			return true;
		at = modules_next(modules, (unsigned)at);
	}
	return false;
}

static int take_programs(const struct reading *reading, struct subject *subject,
			 struct fault *fault)
{
	const struct modules *modules = &subject->modules;
	unsigned i;

	subject->found = calloc(modules->n + 1, sizeof *subject->found);
	if (!subject->found)
		return fault_no_memory(fault);
	for (i = 0; i < modules->n; i++) {
		struct found *found = &subject->found[subject->n_found];

		if (!begins_program(modules, i))
			continue;
		found->module = &modules->list[i];
		subject->n_found++;
		if (program_snapshot_take(&found->snapshot, reading->cache, modules, i,
					  reading->watched, &subject->source, reading->deadline,
					  fault) < 0)
			return -1;
	}
	return 0;
}

/*
 * Of a process that can't be placed, the programs whose meta-data lie in a watched directory: they
 * have put them there, or would have found them.
 */
static void leave_out_unplaced(const struct reading *reading, struct subject *subject)
{
	unsigned i, kept = 0;

	for (i = 0; i < subject->n_found; i++) {
		struct found *found = &subject->found[i];

		if (program_has_meta(found->snapshot.program, reading->watched))
			subject->found[kept++] = *found;
		else
			program_snapshot_free(&found->snapshot);
	}
	subject->n_found = kept;
	subject->is_ours = kept > 0;
}

/* Was everything read from the one program that was looked at first? */
static int check_unchanged(const struct subject *subject, struct fault *fault)
{
	if (process_is_same(&subject->process) &&
	    process_memory_same(&subject->memory, subject->modules.list[0].data.address))
		return 0;
	return fault_set(fault, FAULT_GONE, "it ended, or ran another program, while it was read");
}

/*
 * A program whose file does not show that it is Go's: packed, or with its sections renamed.  Of a
 * process that can't be placed, only one that a packer has left without sections: the machine is
 * full of others.
 */
static int find_unpacked(const struct reading *reading, struct subject *subject,
			 struct fault *fault)
{
	struct process *process = &subject->process;
	cleanup_executable struct executable *exe = NULL;

	if (subject->modules.n || !process_may_run_go(&process->stat) ||
	    plain_processes_have(cache_plain_processes(reading->cache), process->pid,
				 &process->stat))
		return 0;
	exe = cache_find_executable(reading->cache, &process->exe);
	if (exe && subject->unplaced && exe->elf.has_sections)
		return 0;
	return modules_find_unpacked(&subject->modules, reading->cache, process, &subject->source,
				     reading->deadline, fault);
}

static void remember_plain(const struct reading *reading, const struct subject *subject)
{
	if (subject->unplaced || process_may_run_go(&subject->process.stat))
		plain_processes_add(cache_plain_processes(reading->cache), subject->process.pid,
				    &subject->process.stat);
}

/*
 * No counters were found.  Where not even a Go program was, and the process names a watched
 * directory and has in its read-only memory what a meta-data file there has, it has counters all
 * the same.
 */
static int check_plain(const struct reading *reading, struct subject *subject, struct fault *fault)
{
	struct plain_processes *known = cache_plain_processes(reading->cache);
	const struct process *process = &subject->process;
	cleanup_free struct meta_marks *marks = NULL;
	const struct meta_mark *mark = NULL;

	if (subject->modules.n || subject->unplaced || !process_may_run_go(&process->stat) ||
	    plain_processes_have(known, process->pid, &process->stat)) {
		remember_plain(reading, subject);
		return 0;
	}
	marks = calloc(1, sizeof *marks);
	if (!marks)
		return fault_no_memory(fault);
	if (meta_marks_read(marks, reading->watched, fault) < 0 ||
	    meta_marks_find_in_process(marks, process, &subject->source, reading->deadline, &mark,
				       fault) < 0)
		return -1;
	if (mark) {
		subject->is_ours = true;
		return fault_set(fault, FAULT_UNSUPPORTED,
				 "it carries the meta-data of covmeta.%s, but its counters were "
				 "not found in its memory: it was packed, or changed after it was "
				 "built; run it as go build left it",
				 mark->hex);
	}
	remember_plain(reading, subject);
	return 0;
}

/* The process is open.  Everything that can be found out about it. */
static int look_into(const struct reading *reading, struct subject *subject, struct fault *fault)
{
	if (process_see_executable(&subject->process, fault) < 0 ||
	    (selects(reading) && learn_names(subject, fault) < 0))
		return -1;
	if (!is_selected(reading, subject))
		return 0;
	process_memory_open(&subject->memory, subject->process.dir_fd, subject->process.tid);
	subject->source = process_memory_source(&subject->memory);
	if (modules_find(&subject->modules, reading->cache, &subject->process, &subject->source,
			 reading->deadline, fault) < 0 ||
	    find_unpacked(reading, subject, fault) < 0)
		return -1;
	if (!modules_have_counters(&subject->modules))
		return check_plain(reading, subject, fault);
	subject->is_ours = !subject->unplaced;
	if (learn_names(subject, fault) < 0 ||
	    process_read_status(&subject->process, &subject->status, fault) < 0 ||
	    take_programs(reading, subject, fault) < 0)
		return -1;
	if (subject->unplaced)
		leave_out_unplaced(reading, subject);
	return check_unchanged(subject, fault);
}

static int report_programs(struct reading *reading, const struct subject *subject,
			   struct fault *fault)
{
	unsigned i;

	if (!turn_end(reading->turn))
		return fault_turn_over(fault);
	for (i = 0; i < subject->n_found; i++)
		if (report_program(reading, subject, &subject->found[i], fault) < 0)
			return -1;
	return 0;
}

/*
 * Its packages register themselves one by one before their code runs: a program in which nothing
 * has run is only just starting, and there is nothing to count.
 */
static bool has_run_nothing(const struct subject *subject)
{
	struct fault ignored = FAULT_INIT;
	unsigned i;

	for (i = 0; i < subject->modules.n; i++)
		if (counter_area_is_zero(&subject->modules.list[i].data, &subject->source,
					 &ignored) != 1)
			return false;
	return subject->is_ours;
}

/* The last try has failed: what the report says of it. */
static int report_fault(struct reading *reading, struct subject *subject, const struct fault *why,
			struct fault *fault)
{
	struct fault told = *why, unknown = FAULT_INIT;

	if (why->kind == FAULT_UNSETTLED && has_run_nothing(subject))
		return 0;
	/* whatever did not make sense: it may have been its end */
	if (why->kind != FAULT_DENIED && process_has_ended(&subject->process))
		fault_set(&told, FAULT_GONE, "it ended while it was read");
	if ((told.kind == FAULT_GONE || subject->unplaced) && !subject->is_ours)
		return 0;
	if (learn_names(subject, fault) < 0)
		return -1;
	if (process_read_status(&subject->process, &subject->status, &unknown) < 0)
		subject->status.ns_pid = 0;
	switch (told.kind) {
	case FAULT_GONE:
		return report_failure(reading, subject, LIVE_GONE, told.reason, fault);
	case FAULT_DENIED:
		if (subject->memory.call_errno && subject->memory.mem_errno)
			permission_explain(&subject->process, &subject->memory, &told);
		return report_failure(reading, subject, LIVE_DENIED, told.reason, fault);
	default:
		return report_failure(reading, subject, LIVE_UNSUPPORTED, told.reason, fault);
	}
}

/* A fault that is none of the process ends the request. */
static int hand_on(const struct fault *why, struct fault *fault)
{
	*fault = *why;
	return -1;
}

static int report_hidden(struct reading *reading, const struct candidate *candidate,
			 struct fault *fault)
{
	cleanup_with(subject_free) struct subject subject = {.process = PROCESS_INIT,
							     .memory = PROCESS_MEMORY_INIT};
	struct fault told = FAULT_INIT;

	if (process_open(&subject.process, reading->proc_fd, candidate->pid, &told) < 0 ||
	    process_command_line(&subject.process, &subject.argv, &told) < 0 ||
	    process_read_status(&subject.process, &subject.status, &told) < 0)
		return told.kind == FAULT_REQUEST ? hand_on(&told, fault) : 0; /* it has ended */
	if (name_program(&subject) < 0)
		return fault_no_memory(fault);
	if (!is_selected(reading, &subject))
		return 0;
	permission_explain(&subject.process, NULL, &told);
	return report_failure(reading, &subject, LIVE_DENIED, told.reason, fault);
}

int process_report_stuck(struct reading *reading, pid_t pid, struct fault *fault)
{
	cleanup_with(subject_free) struct subject subject = {.process = PROCESS_INIT,
							     .memory = PROCESS_MEMORY_INIT};
	struct fault ended = FAULT_INIT;

	if (process_open(&subject.process, reading->proc_fd, pid, &ended) < 0)
		return ended.kind == FAULT_REQUEST ? hand_on(&ended, fault) : 0;
	/* its command line would have to be read from its memory */
	subject.path = process_executable_path(&subject.process);
	if (name_program(&subject) < 0)
		return fault_no_memory(fault);
	if (!is_selected(reading, &subject))
		return 0;
	if (process_read_status(&subject.process, &subject.status, &ended) < 0)
		subject.status.ns_pid = 0;
	return report_failure(
	    reading, &subject, LIVE_UNSUPPORTED,
	    "looking at it has not come to an end: its GOCOVERDIR, its "
	    "directories, its executable or its memory lead to a file system that "
	    "does not answer; bring that back, unmount it, or end the process",
	    fault);
}

/* What has ended has nothing more to tell; what runs another program now may have. */
static bool is_worth_retrying(const struct subject *subject, const struct fault *why)
{
	return (why->kind == FAULT_GONE || why->kind == FAULT_UNSETTLED ||
		why->kind == FAULT_UNMAPPED) &&
	       !process_has_ended(&subject->process);
}

/* The number may belong to another process by now, or the process may have gone on to another
 * program. */
static bool is_ours_still(const struct reading *reading, struct subject *subject,
			  const struct candidate *candidate)
{
	cleanup_buffer struct buffer scratch = BUFFER_INIT;
	enum environment_result result;

	subject->unplaced = candidate->unplaced;
	if (process_stat_same(&subject->process.stat, &candidate->stat))
		return true;
	result = environment_look_again(&subject->process, reading->watched, &scratch);
	subject->unplaced = result == ENVIRONMENT_UNPLACED;
	/* what could not be told, the next step tells */
	return result == ENVIRONMENT_OURS || result == ENVIRONMENT_EXHAUSTED || subject->unplaced;
}

/* 1 = done, 0 = once more, -1. */
static int try_process(struct reading *reading, const struct candidate *candidate, bool last,
		       struct fault *fault)
{
	cleanup_with(subject_free) struct subject subject = {.process = PROCESS_INIT,
							     .memory = PROCESS_MEMORY_INIT};
	struct fault why = FAULT_INIT;

	if (fault_check_deadline(reading->deadline, fault) < 0)
		return -1;
	if (process_open(&subject.process, reading->proc_fd, candidate->pid, &why) == 0) {
		if (!is_ours_still(reading, &subject, candidate))
			return 1;
		if (look_into(reading, &subject, &why) == 0)
			return report_programs(reading, &subject, fault) < 0 ? -1 : 1;
	} else if (why.kind == FAULT_GONE) {
		return 1;
	}
	if (why.kind == FAULT_REQUEST)
		return hand_on(&why, fault);
	if (!last && is_worth_retrying(&subject, &why))
		return 0;
	return report_fault(reading, &subject, &why, fault) < 0 ? -1 : 1;
}

static unsigned tries_for(const struct reading *reading, const struct candidate *candidate)
{
	int64_t start = boot_clock_unix_ns(&reading->clock, candidate->stat.start_ticks);

	return reading->clock.now_ns - start < STARTING_NS ? TRIES_STARTING : TRIES;
}

int process_read(struct reading *reading, const struct candidate *candidate, struct fault *fault)
{
	struct timespec pause = {0, RETRY_PAUSE_MS * 1000000L};
	unsigned tries, most;

	if (candidate->hidden)
		return report_hidden(reading, candidate, fault);
	most = tries_for(reading, candidate);
	for (tries = 1; tries <= most; tries++) {
		int done = try_process(reading, candidate, tries == most, fault);

		if (done)
			return done < 0 ? -1 : 0;
		nanosleep(&pause, NULL);
	}
	return 0;
}
