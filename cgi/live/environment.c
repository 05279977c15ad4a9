#include "cgi/live/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgi/live/process_memory.h"
#include "cgi/live/process_root.h"

enum { BLOCK_MAX = 4 << 20 }; /* bytes of one environment that are looked at */

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

static enum environment_result result_of_errno(enum environment_result otherwise)
{
	return error_is_exhaustion(errno) ? ENVIRONMENT_EXHAUSTED : otherwise;
}

static enum environment_result names_watched(int dir_fd, const char *value, size_t len,
					     const struct watched_dirs *watched)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;
	struct stat st;
	unsigned i;

	if (len >= sizeof path)
		return ENVIRONMENT_OTHER;
	memcpy(path, value, len);
	path[len] = '\0';
	fd = process_open_path(dir_fd, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return result_of_errno(ENVIRONMENT_OTHER);
	for (i = 0; i < watched->n; i++)
		if (watched->dirs[i].fd >= 0 && watched->dirs[i].dev == (uint64_t)st.st_dev &&
		    watched->dirs[i].inode == (uint64_t)st.st_ino)
			return ENVIRONMENT_OURS;
	return ENVIRONMENT_OTHER;
}

static enum environment_result result_of_fault(const struct fault *fault)
{
	return fault->kind == FAULT_REQUEST ? ENVIRONMENT_EXHAUSTED
	       : fault->kind == FAULT_GONE  ? ENVIRONMENT_OTHER
					    : ENVIRONMENT_HIDDEN;
}

/*
 * The file belongs to the user of the process and has mode 0400, so that a reader with
 * CAP_SYS_PTRACE alone can't open it; the memory itself it may read.
 */
static enum environment_result read_from_memory(int proc_fd, pid_t pid, struct buffer *block,
						struct process_stat *stat)
{
	cleanup_process struct process process = PROCESS_INIT;
	cleanup_process_memory struct process_memory memory = PROCESS_MEMORY_INIT;
	struct memory source;
	struct fault fault = FAULT_INIT;
	uint64_t len;
	char *room;

	/* most can't be looked into at all, which this tells at least cost */
	if (process_look(proc_fd, pid, stat, &fault) < 0)
		return result_of_fault(&fault);
	if (stat->env_start == 0)
		return ENVIRONMENT_HIDDEN;
	if (process_open(&process, proc_fd, pid, &fault) < 0)
		return result_of_fault(&fault);
	*stat = process.stat;
	if (stat->env_start == 0 || stat->env_end < stat->env_start)
		return ENVIRONMENT_HIDDEN;
	len = stat->env_end - stat->env_start;
	if (len > BLOCK_MAX)
		len = BLOCK_MAX;
	room = buffer_reserve(block, (size_t)len);
	process_memory_open(&memory, process.dir_fd, pid);
	source = process_memory_source(&memory);
	if (!room)
		return ENVIRONMENT_EXHAUSTED;
	if (memory_read(&source, stat->env_start, room, (size_t)len, &fault) < 0)
		return fault.kind == FAULT_GONE ? ENVIRONMENT_OTHER : ENVIRONMENT_HIDDEN;
	block->len = (size_t)len;
	return ENVIRONMENT_OURS;
}

enum environment_result environment_look(int proc_fd, pid_t pid, const struct watched_dirs *watched,
					 struct buffer *scratch, struct process_stat *stat)
{
	cleanup_fd int dir_fd = -1;
	const char *value;
	char name[32];
	size_t len;

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
	if (!scratch->len)
		return ENVIRONMENT_OTHER;
	value = environment_gocoverdir(scratch->data, scratch->len, &len);
	if (!value)
		return ENVIRONMENT_OTHER;
	snprintf(name, sizeof name, "%d", (int)pid);
	dir_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? result_of_errno(ENVIRONMENT_OTHER)
			  : names_watched(dir_fd, value, len, watched);
}
