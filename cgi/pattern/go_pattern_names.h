/* The classes that have a name: \p{Greek}, [:alpha:], \w. */
#ifndef GOVERAGE_PATTERN_GO_PATTERN_NAMES_H
#define GOVERAGE_PATTERN_GO_PATTERN_NAMES_H

#include <stddef.h>

#include "cgi/pattern/go_pattern_set.h"

/*
 * The Unicode category or script of this very name in Go 1.23 (names are exact there; "Any" is one
 * of them).  Returns the name itself as a constant, or NULL when Go knows none.
 */
const char *unicode_class_name(const char *name, size_t len);

/*
 * The code points of a class that unicode_class_name() returned, where they are better written out
 * than left to Oniguruma: "Any", and the scripts that are younger than the oldest Oniguruma
 * supported. Sorted, in *ranges, and their number; 0 for all others.
 */
size_t unicode_class_ranges(const char *name, const struct code_range **ranges);

/* The ranges (sorted, ASCII) of a POSIX class such as "alpha"; their number, 0 for an unknown
 * name. */
size_t posix_class(const char *name, size_t len, const struct code_range **ranges);

/* The same of \d, \s and \w, by their letter. */
size_t perl_class(char letter, const struct code_range **ranges);

#endif
