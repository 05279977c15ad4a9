/* Telling whether a file is still the one that it was. */
#ifndef GOVERAGE_BASE_FILE_IDENTITY_H
#define GOVERAGE_BASE_FILE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What changes when a file is replaced or written to. */
struct file_identity {
	uint64_t device, inode, size;
	uint64_t modified_ns; /* time of the last modification */
	uint64_t changed_ns;  /* of the last change of the inode, which nobody can set at will */
	uint64_t links; /* names that lead to it: with 1 it changes in this directory alone; 0 where
			   the name is a symbolic link */
};

struct file_identity file_identity_of(const struct stat *st);

/* The same file with the same content, however many names it has. */
bool file_identity_equal(const struct file_identity *a, const struct file_identity *b);

#endif
