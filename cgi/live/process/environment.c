#include "cgi/live/process/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgi/live/process/process_memory.h"
#include "cgi/live/process/process_root.h"

enum {
	BLOCK_MAX = 4 << 20,	  /* bytes of one environment that are looked at */
	ARGUMENTS_MAX = 64 << 10, /* and of the arguments, where it names no directory */
};

int watched_dirs_open(struct watched_dirs *watched, const struct string_list *paths,
		      struct error *err)
{
	size_t i;

	watched->dirs = calloc(paths->n + 1, sizeof *watched->dirs);
	if (!watched->dirs)
		return error_no_memory(err);
	for (i = 0; i < paths->n; i++) {
		struct watched_dir *dir = &watched->dirs[watched->n++];
		struct stat st;

		dir->fd = open(paths->items[i].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir->fd < 0 && errno == ENOENT)
			continue;
		if (dir->fd < 0 || fstat(dir->fd, &st) < 0)
			return error_errno(err, ERROR_INTERNAL, errno, "can't open GOCOVERDIR %s",
					   paths->items[i].text);
		dir->dev = st.st_dev;
		dir->inode = st.st_ino;
	}
	return 0;
}

void watched_dirs_close(struct watched_dirs *watched)
{
	unsigned i;

	for (i = 0; i < watched->n; i++)
		if (watched->dirs[i].fd >= 0)
			close(watched->dirs[i].fd);
	free(watched->dirs);
	*watched = WATCHED_DIRS_INIT;
}

const char *environment_gocoverdir(const char *block, size_t len, size_t *value_len)
{
	static const char key[] = "GOCOVERDIR=";
	size_t key_len = sizeof key - 1;
	const char *at = block, *end = block + len;

	while ((size_t)(end - at) > key_len) {
		const char *found = memmem(at, (size_t)(end - at), key, key_len);

		if (!found)
			return NULL;
		at = found + key_len;
		if (found != block && found[-1] != '\0')
			continue;
		*value_len = strnlen(at, (size_t)(end - at));
		return *value_len ? at : NULL;
	}
	return NULL;
}

/* Does the argument begin with the flag?  What follows it, or NULL. */
static const char *after_flag(const char *argument, size_t len)
{
	static const char flag[] = "-test.gocoverdir";
	size_t dashes = len > 1 && argument[0] == '-' && argument[1] == '-';

	if (len < dashes + sizeof flag - 1 || memcmp(argument + dashes, flag, sizeof flag - 1) != 0)
		return NULL;
	return argument + dashes + sizeof flag - 1;
}

const char *arguments_gocoverdir(const char *block, size_t len, size_t *value_len)
{
	const char *end = block + len, *found = NULL;
	const char *at = block + strnlen(block, len);
	bool is_next = false;

	while (at < end && ++at < end) {
		size_t n = strnlen(at, (size_t)(end - at));
		const char *after = after_flag(at, n);

		if (is_next || (after && after < at + n && *after == '=')) {
			found = is_next ? at : after + 1;
			*value_len = (size_t)(at + n - found);
		} else if (n == 2 && memcmp(at, "--", 2) == 0) {
			break;
		}
		is_next = !is_next && after && after == at + n;
		at += n;
	}
	return found && *value_len ? found : NULL;
}

static bool is_variable(const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	const char *at;

	for (at = text; equals && at < equals; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	return equals && equals > text;
}

bool environment_is_intact(const char *block, size_t len)
{
	const char *at = block, *end = block + len;

	while (at < end) {
		size_t n = strnlen(at, (size_t)(end - at));

		if (!is_variable(at, n) || (at + n == end && len < BLOCK_MAX))
			return false;
		at += n + 1;
	}
	return true;
}

static enum environment_result result_of_errno(enum environment_result otherwise)
{
	return error_is_exhaustion(errno) ? ENVIRONMENT_EXHAUSTED : otherwise;
}

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static bool looks_alike(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_mode == b->st_mode && ns_of(&a->st_mtim) == ns_of(&b->st_mtim) &&
	       ns_of(&a->st_ctim) == ns_of(&b->st_ctim);
}

/*
 * Is it a watched directory, as a stacked file system shows it: the upper directory of an overlay,
 * or the other side of it?  Such a one has a device of its own, but the owner and the times of what
 * lies below, which change whenever a file is added: who is looked at in between is looked at once
 * more.
 */
static bool is_seen_through(int fd, const struct watched_dir *dir)
{
	struct stat ours, theirs, again;
	unsigned tries;

	for (tries = 0; tries < 3; tries++) {
		if (dir->fd < 0 || fstat(dir->fd, &ours) < 0 || fstat(fd, &theirs) < 0 ||
		    fstat(dir->fd, &again) < 0)
			return false;
		if (looks_alike(&ours, &theirs))
			return true;
		if (ns_of(&ours.st_ctim) == ns_of(&again.st_ctim))
			return false;
	}
	return false;
}

/* The directory is there. */
static enum environment_result compare_with(int fd, const struct stat *st,
					    const struct watched_dirs *watched)
{
	unsigned i;

	for (i = 0; i < watched->n; i++)
		if (watched->dirs[i].fd >= 0 && watched->dirs[i].dev == (uint64_t)st->st_dev &&
		    watched->dirs[i].inode == (uint64_t)st->st_ino)
			return ENVIRONMENT_OURS;
	for (i = 0; i < watched->n; i++)
		if (is_seen_through(fd, &watched->dirs[i]))
			return ENVIRONMENT_UNPLACED;
	return ENVIRONMENT_OTHER;
}

static enum environment_result names_watched(int dir_fd, const char *value, size_t len,
					     const struct watched_dirs *watched)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;
	struct stat st;

	if (len >= sizeof path)
		return ENVIRONMENT_UNPLACED;
	memcpy(path, value, len);
	path[len] = '\0';
	fd = process_open_path(dir_fd, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return result_of_errno(ENVIRONMENT_UNPLACED);
	/* one that was removed has no links any more */
	if (!S_ISDIR(st.st_mode) || st.st_nlink == 0)
		return ENVIRONMENT_UNPLACED;
	return compare_with(fd, &st, watched);
}

/* What its arguments say where its environment names no directory: only a test binary's do. */
static enum environment_result judge_arguments(int dir_fd, const struct watched_dirs *watched)
{
	cleanup_buffer struct buffer arguments = BUFFER_INIT;
	const char *value;
	size_t len;

	if (process_read_file(dir_fd, "cmdline", &arguments, ARGUMENTS_MAX) < 0)
		return result_of_errno(ENVIRONMENT_OTHER);
	value = arguments.len ? arguments_gocoverdir(arguments.data, arguments.len, &len) : NULL;
	return value ? names_watched(dir_fd, value, len, watched) : ENVIRONMENT_OTHER;
}

/* What the block says of the process whose directory is `name` below proc_fd. */
static enum environment_result judge(const struct buffer *block, int proc_fd, const char *name,
				     const struct watched_dirs *watched)
{
	cleanup_fd int dir_fd = -1;
	const char *value;
	size_t len;

	value = block->len ? environment_gocoverdir(block->data, block->len, &len) : NULL;
	if (!value && !environment_is_intact(block->data, block->len))
		return ENVIRONMENT_UNPLACED;
	dir_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return result_of_errno(ENVIRONMENT_OTHER);
	return value ? names_watched(dir_fd, value, len, watched)
		     : judge_arguments(dir_fd, watched);
}

static enum environment_result result_of_fault(const struct fault *fault)
{
	return fault->kind == FAULT_REQUEST ? ENVIRONMENT_EXHAUSTED
	       : fault->kind == FAULT_GONE  ? ENVIRONMENT_OTHER
					    : ENVIRONMENT_HIDDEN;
}

/* From where the process has it. */
static enum environment_result read_memory(const struct process *process, struct buffer *block)
{
	cleanup_process_memory struct process_memory memory = PROCESS_MEMORY_INIT;
	const struct process_stat *stat = &process->stat;
	struct fault fault = FAULT_INIT;
	struct memory source;
	uint64_t len;
	char *room;

	if (stat->env_start == 0 || stat->env_end < stat->env_start)
		return ENVIRONMENT_HIDDEN;
	len = stat->env_end - stat->env_start;
	if (len > BLOCK_MAX)
		len = BLOCK_MAX;
	room = buffer_reserve(block, (size_t)len);
	process_memory_open(&memory, process->dir_fd, process->tid);
	source = process_memory_source(&memory);
	if (!room)
		return ENVIRONMENT_EXHAUSTED;
	if (memory_read(&source, stat->env_start, room, (size_t)len, &fault) < 0)
		return fault.kind == FAULT_GONE ? ENVIRONMENT_OTHER : ENVIRONMENT_HIDDEN;
	block->len = (size_t)len;
	return ENVIRONMENT_OURS;
}

/*
 * The file belongs to the user of the process and has mode 0400, so that a reader with
 * CAP_SYS_PTRACE alone can't open it; the memory itself it may read.
 */
static enum environment_result read_from_memory(int proc_fd, pid_t pid, struct buffer *block,
						struct process_stat *stat)
{
	cleanup_process struct process process = PROCESS_INIT;
	struct fault fault = FAULT_INIT;

	/* most can't be looked into at all, which this tells at least cost */
	if (process_look(proc_fd, pid, stat, &fault) < 0)
		return result_of_fault(&fault);
	if (stat->env_start == 0 && stat->state != 'Z')
		return ENVIRONMENT_HIDDEN;
	if (process_open(&process, proc_fd, pid, &fault) < 0)
		return result_of_fault(&fault);
	*stat = process.stat;
	return read_memory(&process, block);
}

enum environment_result environment_look(int proc_fd, pid_t pid, const struct watched_dirs *watched,
					 struct buffer *scratch, struct process_stat *stat)
{
	char name[32];

	buffer_reset(scratch);
	*stat = (struct process_stat){0};
	snprintf(name, sizeof name, "%d/environ", (int)pid);
	if (process_read_file(proc_fd, name, scratch, BLOCK_MAX) < 0) {
		enum environment_result result = result_of_errno(ENVIRONMENT_HIDDEN);

		if (errno == ENOENT || errno == ESRCH)
			return ENVIRONMENT_OTHER;
		if (result == ENVIRONMENT_HIDDEN)
			result = read_from_memory(proc_fd, pid, scratch, stat);
		if (result == ENVIRONMENT_HIDDEN || result == ENVIRONMENT_EXHAUSTED)
			return result;
	}
	snprintf(name, sizeof name, "%d", (int)pid);
	return judge(scratch, proc_fd, name, watched);
}

enum environment_result environment_look_again(const struct process *process,
					       const struct watched_dirs *watched,
					       struct buffer *scratch)
{
	buffer_reset(scratch);
	if (process_read_file(process->dir_fd, "environ", scratch, BLOCK_MAX) < 0) {
		enum environment_result result = result_of_errno(ENVIRONMENT_HIDDEN);

		if (result == ENVIRONMENT_HIDDEN)
			result = read_memory(process, scratch);
		if (result != ENVIRONMENT_OURS)
			return result;
	}
	return judge(scratch, process->dir_fd, ".", watched);
}
