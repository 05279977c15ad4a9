#include "cgi/collect/program_name.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/called_name.h"
#include "cgi/directory/coverage_screen.h"
#include "cgi/directory/input_read.h"
#include "cgi/format/counters_args.h"

enum { IMPORT_PATH_ROOM = 4096 };

/* -1 for all the machine is out of, else 1 = opened, 0 = nothing to be read here. */
static int open_file(const struct input_file *input, int *fd, uint64_t *size, struct error *err)
{
	struct error why = {0};
	struct stat st;
	bool gone;

	*fd = input_open(input, &gone, &why);
	if (*fd >= 0) {
		*size = fstat(*fd, &st) == 0 ? (uint64_t)st.st_size : 0;
		return 1;
	}
	if (why.class != ERROR_UNAVAILABLE)
		return 0;
	*err = why;
	return error_prefix(err, "%s: ", input->file->name);
}

int program_name_of_counters(const struct input_file *counters, struct buffer *scratch,
			     struct buffer *name, struct error *err)
{
	cleanup_buffer struct buffer argv0 = BUFFER_INIT;
	cleanup_fd int fd = -1;
	uint64_t size = 0;
	int opened = open_file(counters, &fd, &size, err);
	const char *base;
	size_t len;

	if (opened <= 0)
		return opened;
	if (counters_argv0(fd, size, scratch, &argv0, err) < 0)
		return -1;
	base = called_name(buffer_str(&argv0), argv0.len, &len);
	buffer_append(name, base, len);
	return name->failed ? error_no_memory(err) : 0;
}

int program_name_of_meta(const struct input_file *meta, struct buffer *name, struct error *err)
{
	cleanup_fd int fd = -1;
	uint64_t size = 0;
	int opened = open_file(meta, &fd, &size, err);
	char path[IMPORT_PATH_ROOM];

	if (opened <= 0)
		return opened;
	if (coverage_program(fd, size, path, sizeof path))
		program_name_of_import_path(path, strlen(path), name);
	return name->failed ? error_no_memory(err) : 0;
}
