/*
 * Landlock (Linux 5.13 and later): rights over files that this thread, and what it starts, give up
 * for ever.  Only what changes something is given up: writing, making, removing, renaming files;
 * connections and TCP sockets (interface version 4), sockets of the abstract name space and signals
 * to processes outside (6).  Reading stays as it was.
 *
 * A thread under Landlock may not look into a process that isn't: it can read no running services,
 * by whatever right (the same check as for ptrace(2)).
 */
#ifndef GOVERAGE_SANDBOX_LANDLOCK_H
#define GOVERAGE_SANDBOX_LANDLOCK_H

#include "cgi/base/error.h"

/* The version of the kernel's interface: 1 or more; 0 where there is none, with the reason. */
int landlock_version(const char **reason);

/* A set of rules in the making.  A file descriptor, the caller's. */
must_check int landlock_rules(struct error *err);

/*
 * What lies below this directory may be changed all the same; a path that does not exist, or no
 * longer, is passed over.
 */
must_check int landlock_allow_changes(int rules_fd, const char *dir, struct error *err);

/* Files that lie below this directory may be removed. */
must_check int landlock_allow_removal(int rules_fd, const char *dir, struct error *err);

/* This file may be written to. */
must_check int landlock_allow_writing(int rules_fd, const char *file, struct error *err);

/*
 * Confine the calling thread and all that it makes from now on.  no_new_privs is set already.
 * Returns 0, or -1 with errno: it is used where nothing else may be done, too.
 */
int landlock_confine_thread(int rules_fd);

#endif
