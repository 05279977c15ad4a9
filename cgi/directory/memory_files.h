/*
 * Coverage files that were made for one request, and lie in memory: the snapshots of running
 * processes.  A file counts its users, so that its content can outlive the request without being
 * copied.
 */
#ifndef GOVERAGE_DIRECTORY_MEMORY_FILES_H
#define GOVERAGE_DIRECTORY_MEMORY_FILES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/directory/coverage_set.h"

/* Immutable. */
struct memory_file {
	atomic_uint users;	   /* private */
	struct coverage_file file; /* its name is owned; of no directory */
	uint8_t *data;		   /* owned; file.size bytes */
};

struct memory_files {
	struct memory_file **list; /* owned; of each this is a user; names in byte order */
	size_t n;
	size_t bytes; /* of their contents */
	size_t room;  /* private */
};

#define MEMORY_FILES_INIT ((struct memory_files){0})

/*
 * Add a file, whose name must be that of a coverage file.  1: the content has moved from the
 * buffer, which is as new; 0: there is a file of that name already; -1: out of memory.
 */
must_check int memory_files_add(struct memory_files *files, const char *name,
				struct buffer *content);

/* The file of that name, of which the list stays the user; NULL = there is none. */
struct memory_file *memory_files_find(const struct memory_files *files, const char *name);

/* Take the file of that name off the list, if it is there. */
void memory_files_remove(struct memory_files *files, const char *name);

/* Write them all into a directory, where none of their names may be.  -1 with the reason. */
must_check int memory_files_store(const struct memory_files *files, int dir_fd, struct error *err);

void memory_files_free(struct memory_files *files);

#define cleanup_memory_files cleanup_with(memory_files_free)

/* A descriptor to read the file from its start, which the caller owns.  -1 with the reason. */
must_check int memory_file_open(const struct memory_file *file, struct error *err);

struct memory_file *memory_file_use(struct memory_file *file);
void memory_file_release(struct memory_file *file);

#endif
