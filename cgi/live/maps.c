#include "cgi/live/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4400 }; /* a path has 4,095 bytes at most, escapes make it longer */

/* "start-end perms offset major:minor inode    path" */
static bool parse_line(const char *line, struct mapped_file *file)
{
	uint64_t end, offset;
	unsigned major, minor;
	char perms[5];
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &file->start, &end, perms, &offset, &major, &minor, &file->inode, &path_at) != 7)
		return false;
	if (!path_at || line[path_at] != '/' || offset != 0)
		return false;
	file->dev = (uint64_t)major << 32 | minor;
	file->path = strdup(line + path_at);
	return true;
}

static int add_file(struct mapped_files *mapped, const struct mapped_file *file,
		    struct fault *fault)
{
	struct mapped_file *files;

	if (!file->path)
		return fault_no_memory(fault);
	if (mapped->n % 16 == 0) {
		files = realloc(mapped->files, (mapped->n + 16) * sizeof *files);
		if (!files) {
			free(file->path);
			return fault_no_memory(fault);
		}
		mapped->files = files;
	}
	mapped->files[mapped->n++] = *file;
	return 0;
}

int maps_parse(struct mapped_files *mapped, const char *text, size_t len, struct fault *fault)
{
	const char *end = text + len;

	while (text < end && mapped->n < MAPS_MAX_FILES) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((feed ? feed : end) - text);
		char line[LINE_MAX_BYTES];
		struct mapped_file file;

		if (n < sizeof line) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (parse_line(line, &file) && add_file(mapped, &file, fault) < 0)
				return -1;
		}
		text = feed ? feed + 1 : end;
	}
	return 0;
}

int maps_read(struct mapped_files *mapped, const struct process *process, struct fault *fault)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	if (process_read_pages(process->dir_fd, "maps", &text, MAPS_MAX_BYTES) < 0)
		return fault_from_errno(fault, "its memory map");
	return maps_parse(mapped, buffer_str(&text), text.len, fault);
}

void maps_free(struct mapped_files *mapped)
{
	size_t i;

	for (i = 0; i < mapped->n; i++)
		free(mapped->files[i].path);
	free(mapped->files);
	*mapped = MAPPED_FILES_INIT;
}
