#include "cgi/live/process/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4400 }; /* a path has 4,095 bytes at most, escapes make it longer */

/* "start-end perms offset major:minor inode    name" */
static bool parse_line(const char *line, struct mapping *m)
{
	unsigned major, minor;
	char perms[5];
	int name_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m->start,
		   &m->end, perms, &m->offset, &major, &minor, &m->inode, &name_at) != 7 ||
	    strlen(perms) != 4 || m->end <= m->start)
		return false;
	m->dev = (uint64_t)major << 32 | minor;
	m->readable = perms[0] == 'r';
	m->writable = perms[1] == 'w';
	m->executable = perms[2] == 'x';
	m->shared = perms[3] == 's';
	m->name = line + (name_at ? (size_t)name_at : strlen(line));
	return true;
}

int maps_walk(const char *text, size_t len,
	      int (*see)(const struct mapping *mapping, void *context), void *context)
{
	const char *end = text + len;
	int result = 0;

	while (text < end && result == 0) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((feed ? feed : end) - text);
		char line[LINE_MAX_BYTES];
		struct mapping mapping;

		if (n < sizeof line) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (parse_line(line, &mapping))
				result = see(&mapping, context);
		}
		text = feed ? feed + 1 : end;
	}
	return result;
}

struct collecting {
	struct mapped_files *mapped;
	struct fault *fault;
};

static int add_file(const struct mapping *mapping, void *context)
{
	const struct collecting *c = context;
	struct mapped_file file = {mapping->start, mapping->dev, mapping->inode, NULL};
	struct mapped_file *files;

	if (*mapping->name != '/' || mapping->offset != 0 || c->mapped->n == MAPS_MAX_FILES)
		return 0;
	if (c->mapped->n % 16 == 0) {
		files = realloc(c->mapped->files, (c->mapped->n + 16) * sizeof *files);
		if (!files)
			return fault_no_memory(c->fault);
		c->mapped->files = files;
	}
	file.path = strdup(mapping->name);
	if (!file.path)
		return fault_no_memory(c->fault);
	c->mapped->files[c->mapped->n++] = file;
	return 0;
}

int maps_parse(struct mapped_files *mapped, const char *text, size_t len, struct fault *fault)
{
	struct collecting collecting = {mapped, fault};

	return maps_walk(text, len, add_file, &collecting);
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
