/*
 * The coverage files as they lie in their directories: opening, reading whole, and telling whether
 * one is still the file that it was.  Files are read, not mapped: somebody else may truncate them
 * meanwhile.
 */
#ifndef GOVERAGE_DIRECTORY_SOURCE_FILE_H
#define GOVERAGE_DIRECTORY_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/base/file_identity.h"
#include "cgi/directory/memory_files.h"

/* The bytes of one file; the memory is kept from file to file. */
struct file_bytes {
	uint8_t *data; /* owned, but for: */
	size_t len;
	size_t cap;		   /* private */
	struct memory_file *owner; /* of the data; this is a user of it; NULL = none */
};

#define FILE_BYTES_INIT ((struct file_bytes){0})

/*
 * Open a regular file for reading; the caller owns the descriptor.  -1: *gone where there is no
 * such file any more; ERROR_INTERNAL with what is wrong with it; ERROR_UNAVAILABLE when the machine
 * is out of something.
 */
must_check int source_file_open(int dir_fd, const char *name, bool *gone, struct error *err);

/* Read a whole file, of COVERAGE_FILE_MAX bytes at most.  -1 as above. */
must_check int source_file_read(int dir_fd, const char *name, struct file_bytes *bytes, bool *gone,
				struct error *err);

/* Which file is it?  -1 as above. */
must_check int source_file_identify(int dir_fd, const char *name, struct file_identity *identity,
				    bool *gone, struct error *err);

/* Make them those of a file in memory, without a copy. */
void file_bytes_share(struct file_bytes *bytes, struct memory_file *file);

/* Bytes of memory that it holds. */
size_t file_bytes_memory(const struct file_bytes *bytes);

/* Give back the memory that the file at hand does not need. */
void file_bytes_trim(struct file_bytes *bytes);

void file_bytes_free(struct file_bytes *bytes);

#define cleanup_file_bytes cleanup_with(file_bytes_free)

#endif
