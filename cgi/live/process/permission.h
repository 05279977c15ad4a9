/* Why the system does not let this program read a process, told so that somebody can change it. */
#ifndef GOVERAGE_LIVE_PROCESS_PERMISSION_H
#define GOVERAGE_LIVE_PROCESS_PERMISSION_H

#include "cgi/live/process/process.h"
#include "cgi/live/process/process_memory.h"

/*
 * Put the reason into *fault, as FAULT_DENIED.  `memory` is what was tried on the process's memory;
 * NULL when not even its environment may be seen.
 */
void permission_explain(const struct process *process, const struct process_memory *memory,
			struct fault *fault);

/* The value of /proc/sys/kernel/yama/ptrace_scope, or -1 where the kernel has no Yama. */
int permission_yama_scope(void);

#endif
