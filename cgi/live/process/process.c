#include "cgi/live/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
	STAT_MAX = 4096,
	STATUS_MAX = 16384,
	READ_STEP = 16384,
	KERNEL_THREAD = 0x200000, /* PF_KTHREAD */
	GO_ADDRESSES = 256 << 20, /* bytes; see process_may_run_go() */
};

/* `rest_follows`: a short read is not the end. */
static int read_proc(int dir_fd, const char *name, struct buffer *out, size_t max,
		     bool rest_follows)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (max) {
		size_t step = max < READ_STEP ? max : READ_STEP;
		char *room = buffer_reserve(out, step);
		ssize_t got = room ? read(fd, room, step) : -1;

		if (!room)
			errno = ENOMEM;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
		max -= (size_t)got;
		if (got == 0 || (!rest_follows && (size_t)got < step))
			break;
	}
	return 0;
}

int process_read_file(int dir_fd, const char *name, struct buffer *out, size_t max)
{
	return read_proc(dir_fd, name, out, max, false);
}

int process_read_pages(int dir_fd, const char *name, struct buffer *out, size_t max)
{
	return read_proc(dir_fd, name, out, max, true);
}

/*
 * Fields are numbered as in proc(5), from 3 on behind the name, which may hold anything,
 * parentheses and blanks too.
 */
static bool parse_stat(const char *text, struct process_stat *stat)
{
	const char *at = strrchr(text, ')');
	unsigned field;

	if (!at || at[1] != ' ' || !at[2])
		return false;
	*stat = (struct process_stat){.state = at[2]};
	at += 3;
	for (field = 4; *at == ' '; field++) {
		char *end;
		uint64_t value = strtoull(at + 1, &end, 10);

		switch (field) {
		case 4:
			stat->parent = (pid_t)value;
			break;
		case 9:
			stat->of_kernel = value & KERNEL_THREAD;
			break;
		case 20:
			stat->threads = (unsigned)value;
			break;
		case 22:
			stat->start_ticks = value;
			break;
		case 23:
			stat->virtual_bytes = value;
			break;
		case 26:
			stat->start_code = value;
			break;
		case 28:
			stat->start_stack = value;
			break;
		case 48:
			stat->arg_start = value;
			break;
		case 50:
			stat->env_start = value;
			break;
		case 51:
			stat->env_end = value;
			return true;
		}
		at = end;
	}
	return false;
}

static bool has_ended(const struct process_stat *stat)
{
	return stat->state == 'Z' || stat->state == 'X';
}

static int read_stat_file(int dir_fd, const char *name, struct process_stat *stat,
			  struct fault *fault)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	if (process_read_file(dir_fd, name, &text, STAT_MAX) < 0)
		return fault_from_errno(fault, "its state");
	if (!parse_stat(buffer_str(&text), stat))
		return fault_set(fault, FAULT_UNSUPPORTED, "/proc/PID/stat has an unknown form");
	if (has_ended(stat) && stat->threads <= 1)
		return fault_set(fault, FAULT_GONE, "it has ended");
	return 0;
}

/* A thread that is none of those which have ended: its number, and its state; 0 = there is none. */
static pid_t find_living_thread(int leader_fd, struct process_stat *stat)
{
	int fd = openat(leader_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct fault ignored = FAULT_INIT;
	struct dirent *entry;
	char name[300];

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		snprintf(name, sizeof name, "task/%s/stat", entry->d_name);
		if (entry->d_name[0] != '.' &&
		    read_stat_file(leader_fd, name, stat, &ignored) == 0 && !has_ended(stat))
			return (pid_t)atol(entry->d_name);
	}
	return 0;
}

/* What the process is stays what its first thread tells; what it has, another one shows. */
static int see_living_thread(const struct process *process, struct process_stat *stat, pid_t *tid,
			     struct fault *fault)
{
	struct process_stat leader = *stat;

	*tid = find_living_thread(process->leader_fd, stat);
	if (!*tid)
		return fault_set(fault, FAULT_GONE, "it has ended");
	stat->parent = leader.parent;
	stat->start_ticks = leader.start_ticks;
	return 0;
}

static int read_stat(const struct process *process, struct process_stat *stat, pid_t *tid,
		     struct fault *fault)
{
	*tid = process->pid;
	if (read_stat_file(process->leader_fd, "stat", stat, fault) < 0)
		return -1;
	return has_ended(stat) ? see_living_thread(process, stat, tid, fault) : 0;
}

/* Everything but the process's own state is looked at through this thread from now on. */
static int use_thread(struct process *process, pid_t tid, struct fault *fault)
{
	char name[32];

	process->tid = tid;
	if (tid == process->pid)
		return 0;
	snprintf(name, sizeof name, "task/%d", (int)tid);
	process->dir_fd = openat(process->leader_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process->dir_fd < 0)
		return fault_from_errno(fault, "its /proc directory");
	return 0;
}

int process_look(int proc_fd, pid_t pid, struct process_stat *stat, struct fault *fault)
{
	char name[32];

	snprintf(name, sizeof name, "%d/stat", (int)pid);
	return read_stat_file(proc_fd, name, stat, fault);
}

int process_open_only(struct process *process, int proc_fd, pid_t pid, struct fault *fault)
{
	char name[16];

	snprintf(name, sizeof name, "%d", (int)pid);
	process->pid = process->tid = pid;
	process->dir_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	process->leader_fd = process->dir_fd;
	if (process->dir_fd < 0)
		return fault_from_errno(fault, "its /proc directory");
	return 0;
}

int process_open(struct process *process, int proc_fd, pid_t pid, struct fault *fault)
{
	pid_t tid;

	if (process_open_only(process, proc_fd, pid, fault) < 0 ||
	    read_stat(process, &process->stat, &tid, fault) < 0)
		return -1;
	return use_thread(process, tid, fault);
}

static int stat_executable(const struct process *process, struct file_identity *identity)
{
	struct stat st;

	if (fstatat(process->dir_fd, "exe", &st, 0) < 0)
		return -1;
	*identity = file_identity_of(&st);
	return 0;
}

int process_see_executable(struct process *process, struct fault *fault)
{
	if (stat_executable(process, &process->exe) < 0)
		return fault_from_errno(fault, "its executable");
	return 0;
}

bool process_may_run_go(const struct process_stat *stat)
{
	return stat->threads > 1 && stat->virtual_bytes >= GO_ADDRESSES;
}

bool process_stat_same(const struct process_stat *a, const struct process_stat *b)
{
	return a->start_ticks == b->start_ticks && a->start_code == b->start_code &&
	       a->start_stack == b->start_stack && a->arg_start == b->arg_start &&
	       a->env_start == b->env_start;
}

bool process_is_same(const struct process *process)
{
	struct process_stat now;
	struct file_identity exe;
	struct fault ignored = FAULT_INIT;
	pid_t tid;

	return read_stat(process, &now, &tid, &ignored) == 0 &&
	       process_stat_same(&now, &process->stat) && stat_executable(process, &exe) == 0 &&
	       exe.device == process->exe.device && exe.inode == process->exe.inode;
}

bool process_has_ended(const struct process *process)
{
	struct process_stat now;
	struct fault why = FAULT_INIT;
	pid_t tid;

	return read_stat(process, &now, &tid, &why) < 0 && why.kind == FAULT_GONE;
}

int process_open_executable(const struct process *process, struct fault *fault)
{
	int fd = openat(process->dir_fd, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0 ? fd : fault_from_errno(fault, "opening its executable");
}

char *process_executable_path(const struct process *process)
{
	static const char deleted[] = " (deleted)";
	char path[PATH_MAX];
	ssize_t n = readlinkat(process->dir_fd, "exe", path, sizeof path);
	size_t tail = sizeof deleted - 1;

	if (n <= 0)
		return NULL;
	if ((size_t)n > tail && memcmp(path + n - tail, deleted, tail) == 0)
		n -= (ssize_t)tail;
	return strndup(path, (size_t)n);
}

int process_command_line(const struct process *process, struct string_list *argv,
			 struct fault *fault)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;
	const char *at, *end;

	if (process_read_file(process->dir_fd, "cmdline", &text, PROCESS_ARGV_MAX) < 0)
		return fault_from_errno(fault, "its command line");
	for (at = text.data, end = at + text.len; at < end;) {
		size_t len = strnlen(at, (size_t)(end - at));

		if (string_list_add(argv, at, len) < 0)
			return fault_no_memory(fault);
		at += len + 1;
	}
	return 0;
}

/* What follows "\nKEY:" in a status file, or NULL. */
static const char *status_line(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? at + strlen(key) : NULL;
}

static uint64_t last_number(const char *line)
{
	uint64_t value = 0;
	char *end;

	while (*line == '\t' || *line == ' ') {
		value = strtoull(line, &end, 10);
		line = end;
	}
	return value;
}

int process_read_status(const struct process *process, struct process_status *status,
			struct fault *fault)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;
	const char *uid, *gid, *ns_pid, *capabilities;
	unsigned real, effective;

	if (process_read_file(process->leader_fd, "status", &text, STATUS_MAX) < 0)
		return fault_from_errno(fault, "its status");
	uid = status_line(buffer_str(&text), "\nUid:");
	gid = status_line(buffer_str(&text), "\nGid:");
	ns_pid = status_line(buffer_str(&text), "\nNSpid:");
	capabilities = status_line(buffer_str(&text), "\nCapPrm:");
	if (!uid || !gid || !capabilities ||
	    sscanf(uid, "%u %u %u %u", &status->uids[0], &status->uids[1], &status->uids[2],
		   &status->uids[3]) != 4)
		return fault_set(fault, FAULT_UNSUPPORTED, "/proc/PID/status has an unknown form");
	status->uid = status->uids[1];
	if (sscanf(gid, "%u %u", &real, &effective) != 2)
		return fault_set(fault, FAULT_UNSUPPORTED, "/proc/PID/status has an unknown form");
	status->gid = effective;
	/* kernels without pid namespaces have no such line */
	status->ns_pid = ns_pid ? last_number(ns_pid) : (uint64_t)process->pid;
	status->capabilities = strtoull(capabilities, NULL, 16);
	return 0;
}

void process_close(struct process *process)
{
	if (process->dir_fd >= 0)
		close(process->dir_fd);
	if (process->leader_fd >= 0 && process->leader_fd != process->dir_fd)
		close(process->leader_fd);
	process->dir_fd = process->leader_fd = -1;
}
