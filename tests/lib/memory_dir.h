/* The coverage files of a directory, in memory: what the reader gets of running processes. */
#ifndef GOVERAGE_TESTS_LIB_MEMORY_DIR_H
#define GOVERAGE_TESTS_LIB_MEMORY_DIR_H

#include <fcntl.h>

#include "cgi/directory/memory_files.h"
#include "cgi/directory/source_file.h"

static inline int memory_dir_add(struct memory_files *files, int dir_fd, const char *name,
				 struct error *err)
{
	cleanup_buffer struct buffer content = BUFFER_INIT;
	cleanup_file_bytes struct file_bytes bytes = FILE_BYTES_INIT;
	bool gone;

	if (source_file_read(dir_fd, name, &bytes, &gone, err) < 0)
		return -1;
	buffer_append(&content, bytes.data, bytes.len);
	return memory_files_add(files, name, &content) == 1 ? 0 : error_no_memory(err);
}

/* -1 with the reason. */
static inline int memory_dir_read(struct memory_files *files, const char *path, struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_fd int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct deadline deadline = deadline_in_ms(60000, -1);
	size_t i;

	if (dir_fd < 0 || coverage_set_list(&set, path, &deadline, err) < 0)
		return -1;
	for (i = 0; i < set.n_files; i++)
		if (memory_dir_add(files, dir_fd, set.files[i].name, err) < 0)
			return -1;
	return 0;
}

#endif
