/* A profile in Go's text format, as `covdata textfmt` prints it, byte for byte. */
#ifndef GOVERAGE_READER_TEXTFMT_WRITER_H
#define GOVERAGE_READER_TEXTFMT_WRITER_H

#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/reader/covprofile.h"

/*
 * Write the profile to fd: the mode line; then package by package in the byte order of the import
 * paths, a line for each unit, sorted by file name, start line, end line, start column, end column,
 * statements. Units of one function that are equal in all of these are one line, with their
 * counters joined; where only the functions differ, the one that was seen first comes first
 * (covdata leaves that to chance). With mixed modes a counter tells only whether the unit was
 * covered, and the mode is set.
 *
 * *size becomes the number of bytes.  -1: ERROR_UNAVAILABLE, ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int textfmt_write(const struct covprofile *profile, int fd, uint64_t *size,
			     const struct deadline *deadline, struct error *err);

#endif
