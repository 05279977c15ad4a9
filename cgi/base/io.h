/* Whole reads and writes on descriptors: the loops around short counts and EINTR, written once. */
#ifndef GOVERAGE_IO_H
#define GOVERAGE_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "cgi/base/cleanup.h"

/* Read up to n bytes; fewer only at the end of the file.  The count, or -1 with errno. */
must_check ssize_t io_read_full(int fd, void *buf, size_t n);

/* The same at an offset, by pread(2): the file position does not move. */
must_check ssize_t io_pread_full(int fd, void *buf, size_t n, off_t offset);

/* Write all n bytes.  0, or -1 with errno. */
must_check int io_write_full(int fd, const void *buf, size_t n);

/* Add FD_CLOEXEC to every open descriptor from `first` on: strangers that were handed down to us.
 */
void io_cloexec_from(int first);

#endif
