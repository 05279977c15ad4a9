/*
 * What a counter file says about the program that wrote it, read without the counters: the first
 * pages of the file are enough.
 */
#ifndef GOVERAGE_FORMAT_COUNTERS_ARGS_H
#define GOVERAGE_FORMAT_COUNTERS_ARGS_H

#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"

enum {
	/* Linux gives a program 6 MiB of arguments and environment at most */
	COUNTERS_ARGS_MAX = 8 << 20,
};

/*
 * Append argv[0] of the program that wrote the open counter file of `size` bytes.  Nothing is
 * appended where the file does not tell: covdata merge writes no arguments, and a damaged file
 * holds none. scratch is memory that may be handed in again for the next file. -1:
 * ERROR_UNAVAILABLE when memory runs out.
 */
must_check int counters_argv0(int fd, uint64_t size, struct buffer *scratch, struct buffer *argv0,
			      struct error *err);

#endif
