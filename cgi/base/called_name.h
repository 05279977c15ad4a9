/*
 * The name of a program by what it was called by, its argv[0]: goc's name of a service.  It is the
 * same while the program runs, by /proc, and after its end, by its counter file, whatever leads to
 * the executable: a symbolic link, a file in memory, a name that the caller chose.
 *
 * A process may write something else there, a title such as "shop: worker for alice", which is
 * nobody's business.  Text that has a blank, a colon or a control character before any slash is
 * taken for one, and cut there; in a path the last element counts, up to " -", where a command line
 * goes on.
 */
#ifndef GOVERAGE_BASE_CALLED_NAME_H
#define GOVERAGE_BASE_CALLED_NAME_H

#include <stddef.h>

/* Where in the n bytes the name begins; *len becomes its length, which may be 0. */
const char *called_name(const char *argv0, size_t n, size_t *len);

/*
 * The same of a process that may not be looked into, whose title can't be held against anything:
 * cut at the first byte that is no letter, digit, or one of "._+@-/", and the last element of that.
 */
const char *called_name_unproved(const char *argv0, size_t n, size_t *len);

#endif
