/* The names of Go's coverage files, as covdata matches them (internal/coverage/pods in Go's own
 * tree). */
#ifndef GOVERAGE_DIRECTORY_COVERAGE_NAMES_H
#define GOVERAGE_DIRECTORY_COVERAGE_NAMES_H

#include <stdbool.h>

#include "cgi/directory/coverage_set.h"

/*
 * Is this the name of a coverage file?  Meta-data: "covmeta." and a tag of one or more non-blank
 * bytes. Counters: "covcounters.", such a tag (as long as can be), ".", digits (the pid, below
 * 2^63), ".", digits (the time).  The whole name counts.  Fills kind, tag_len, pid and time_ns of
 * *file (a time beyond 64 bits becomes the largest one) and nothing else.
 */
bool coverage_name_parse(const char *name, struct coverage_file *file);

/* The tag of a file: what pairs counters with their meta-data.  tag_len bytes, not
 * NUL-terminated. */
const char *coverage_tag(const struct coverage_file *file);

/* Is this text, or NULL, the tag of the file? */
bool coverage_tag_is(const struct coverage_file *file, const char *text);

/* The byte order of their tags. */
int coverage_compare_tags(const struct coverage_file *a, const struct coverage_file *b);

#endif
