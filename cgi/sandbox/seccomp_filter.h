/*
 * The system calls that are left to this process and what it starts: seccomp(2), by a filter
 * program of our own.  What is refused fails with EPERM, so that a library that tries it sees an
 * error instead of ending the process; a call that is newer than our lists fails with ENOSYS, as in
 * an older kernel, for which libraries have another way.
 */
#ifndef GOVERAGE_SANDBOX_SECCOMP_FILTER_H
#define GOVERAGE_SANDBOX_SECCOMP_FILTER_H

#include <stdbool.h>

#include "cgi/base/error.h"

enum seccomp_profile {
	/*
	 * For a process that starts no program: only the calls that it needs.  No new process, no
	 * signal to another one; open(2) makes files or reads them, but does not open one that is
	 * there for writing.
	 */
	SECCOMP_NEEDED_ONLY,
	/*
	 * For a process that starts covdata or go: all but network, writing to processes, mounts,
	 * namespaces, identity, the kernel.  No signal to all processes at once.
	 */
	SECCOMP_REFUSE_DANGEROUS,
};

/* Can this kernel filter on this architecture?  If not, *reason says why. */
bool seccomp_available(const char **reason);

/*
 * Confine all threads of this process, for ever.  no_new_privs is set already.  -1 with the reason:
 * ERROR_INTERNAL.
 */
must_check int seccomp_confine(enum seccomp_profile profile, struct error *err);

#endif
