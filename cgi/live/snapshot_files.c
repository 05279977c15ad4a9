#include "cgi/live/snapshot_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgi/base/io.h"

enum { NAME_SIZE = 128, NAME_TRIES = 65536 };

static int cannot_write(struct fault *fault, const char *name)
{
	struct error why;

	error_errno(&why, ERROR_INTERNAL, errno, "writing the snapshot %s", name);
	fault_set(fault, FAULT_REQUEST, "%s", why.message);
	fault->class = why.class;
	return -1;
}

static int write_file(int dir_fd, const char *name, const struct buffer *content,
		      struct fault *fault)
{
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	return io_write_full(fd, content->data, content->len) < 0 ? cannot_write(fault, name) : 0;
}

static int write_meta(int dir_fd, const struct program *program, bool *wrote, struct fault *fault)
{
	cleanup_buffer struct buffer content = BUFFER_INIT;
	char name[NAME_SIZE];

	snprintf(name, sizeof name, "covmeta.%s", program->hex);
	program_write_meta(program, &content);
	if (content.failed)
		return fault_no_memory(fault);
	if (write_file(dir_fd, name, &content, fault) == 0) {
		*wrote = true;
		return 0;
	}
	if (fault->kind == FAULT_REQUEST)
		return -1;
	return errno == EEXIST ? 0 : cannot_write(fault, name);
}

static int write_counters(int dir_fd, const struct program_snapshot *snapshot,
			  const struct buffer *content, struct live_process *line,
			  struct fault *fault)
{
	char name[NAME_SIZE];
	unsigned tries;

	for (tries = 0; tries < NAME_TRIES; tries++) {
		snprintf(name, sizeof name, "covcounters.%s.%" PRIu64 ".%" PRId64,
			 snapshot->program->hex, line->ns_pid, line->start_ns + tries);
		if (write_file(dir_fd, name, content, fault) == 0) {
			line->counters_file = strdup(name);
			return line->counters_file ? 0 : fault_no_memory(fault);
		}
		if (fault->kind == FAULT_REQUEST)
			return -1;
		if (errno != EEXIST)
			break;
	}
	return cannot_write(fault, name);
}

int snapshot_files_write(int dir_fd, const struct program_snapshot *snapshot,
			 const struct string_list *argv, const char *goarch, bool with_meta,
			 struct live_process *line, struct fault *fault)
{
	cleanup_buffer struct buffer content = BUFFER_INIT;

	*fault = FAULT_INIT;
	covcounters_write(&content, snapshot->program->hash, argv, goarch, &snapshot->entries);
	if (content.failed)
		return fault_no_memory(fault);
	if (with_meta && write_meta(dir_fd, snapshot->program, &line->wrote_meta, fault) < 0)
		return -1;
	return write_counters(dir_fd, snapshot, &content, line, fault);
}
