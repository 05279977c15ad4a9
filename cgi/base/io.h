/* Whole reads and writes on descriptors: the loops around short counts and EINTR, written once. */
#ifndef GOVERAGE_BASE_IO_H
#define GOVERAGE_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cgi/base/cleanup.h"

/* Read up to n bytes; fewer only at the end of the file.  The count, or -1 with errno. */
must_check ssize_t io_read_full(int fd, void *buf, size_t n);

/* The same at an offset, by pread(2): the file position does not move. */
must_check ssize_t io_pread_full(int fd, void *buf, size_t n, off_t offset);

/* Write all n bytes.  0, or -1 with errno. */
must_check int io_write_full(int fd, const void *buf, size_t n);

/*
 * A descriptor that reads as empty and keeps nothing: /dev/null, or where a root directory has none
 * an empty memory file that can't grow.  Close-on-exec; -1 with errno.
 */
must_check int io_open_null(void);

/* Is it lost what is written there?  So it is where the descriptor is closed. */
bool io_leads_nowhere(int fd);

/* Add FD_CLOEXEC to every open descriptor from `first` on: strangers that were handed down to
 * us. */
void io_cloexec_from(int first);

#endif
