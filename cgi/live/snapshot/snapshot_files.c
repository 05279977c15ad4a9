#include "cgi/live/snapshot/snapshot_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 128, NAME_TRIES = 65536 };

/* As memory_files_add(), within the bound; -1 with the fault. */
static int add(struct memory_files *files, const char *name, struct buffer *content,
	       struct fault *fault)
{
	int added;

	if (content->failed)
		return fault_no_memory(fault);
	if (content->len > SNAPSHOT_FILES_MAX - files->bytes) {
		fault_set(
		    fault, FAULT_REQUEST,
		    "the counters of the running processes take more than %d MiB: ask for one "
		    "service at a time",
		    SNAPSHOT_FILES_MAX >> 20);
		fault->class = ERROR_UNAVAILABLE;
		return -1;
	}
	added = memory_files_add(files, name, content);
	return added < 0 ? fault_no_memory(fault) : added;
}

static int add_meta(struct memory_files *files, const struct program *program, bool *added,
		    struct fault *fault)
{
	cleanup_buffer struct buffer content = BUFFER_INIT;
	char name[NAME_SIZE];

	snprintf(name, sizeof name, "covmeta.%s", program->hex);
	if (memory_files_find(files, name))
		return 0;
	program_write_meta(program, &content);
	if (add(files, name, &content, fault) < 0)
		return -1;
	*added = true;
	return 0;
}

static int add_counters(struct memory_files *files, const struct program_snapshot *snapshot,
			struct buffer *content, struct live_process *line, struct fault *fault)
{
	char name[NAME_SIZE];
	int added = 0;
	unsigned tries;

	for (tries = 0; added == 0 && tries < NAME_TRIES; tries++) {
		snprintf(name, sizeof name, "covcounters.%s.%" PRIu64 ".%" PRId64,
			 snapshot->program->hex, line->ns_pid, line->start_ns + tries);
		added = add(files, name, content, fault);
	}
	if (added < 0)
		return -1;
	line->counters_file = added ? strdup(name) : NULL;
	return line->counters_file ? 0 : fault_no_memory(fault);
}

int snapshot_files_add(struct memory_files *files, const struct program_snapshot *snapshot,
		       const struct string_list *argv, const char *goarch, bool with_meta,
		       struct live_process *line, struct fault *fault)
{
	cleanup_buffer struct buffer content = BUFFER_INIT;

	*fault = FAULT_INIT;
	covcounters_write(&content, snapshot->program->hash, argv, goarch, &snapshot->entries);
	if (with_meta && add_meta(files, snapshot->program, &line->wrote_meta, fault) < 0)
		return -1;
	return add_counters(files, snapshot, &content, line, fault);
}
