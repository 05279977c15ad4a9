/*
 * A look into one coverage file: can covdata read it?  Only what frames the content is read
 * (headers, tables, footer), with bounds that the file's size gives.
 */
#ifndef GOVERAGE_DIRECTORY_COVERAGE_SCREEN_H
#define GOVERAGE_DIRECTORY_COVERAGE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/directory/coverage_set.h"

enum {
	/* Kubernetes has some five thousand; more than this is no header that Go wrote */
	COVERAGE_MAX_PACKAGES = 100000,
};

/*
 * What is wrong with the open regular file of `size` bytes, in a few words that follow the name of
 * the file ("is empty"), or NULL when nothing is.  A format version that is not known is not looked
 * into: covdata may know it.
 *
 * Of good meta-data, *mode and *granularity are filled; both are 0 where the version is not known.
 */
const char *coverage_screen_meta(int fd, uint64_t size, uint8_t *mode, uint8_t *granularity);
const char *coverage_screen_counters(int fd, uint64_t size);

/*
 * The program that wrote the meta-data: the import path of its main package, which is the last one
 * in the file, since packages stand in the order in which they were initialised.  NUL-terminated,
 * cut to `room`.  False when it can't be read.
 */
bool coverage_program(int fd, uint64_t size, char *out, size_t room);

/*
 * Append the name that `go build` gives to a program by the import path (n bytes) of its main
 * package: the last element, or the one before it when the last one is a major version
 * (example.org/shop/v2).
 */
void program_name_of_import_path(const char *path, size_t n, struct buffer *name);

#endif
