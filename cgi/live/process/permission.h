/* Why the system does not let this program read a process, told so that somebody can change it. */
#ifndef GOVERAGE_LIVE_PROCESS_PERMISSION_H
#define GOVERAGE_LIVE_PROCESS_PERMISSION_H

#include "cgi/live/process/process.h"
#include "cgi/live/process/process_memory.h"

/* What decides about it. */
struct permission_view {
	struct process_status own, other;
	int yama;		 /* as permission_yama_scope() */
	bool own_user_namespace; /* this program runs in another than the machine's first one */
	bool memory_was_tried;	 /* the environment may be seen, and the memory not: */
	int call_errno, mem_errno;
};

/*
 * Name all that is in the way, and what suffices to change it, as FAULT_DENIED.  A capability
 * passes users and Yama's scopes 1 and 2; the same user and group alone pass no Yama.
 */
void permission_describe(const struct permission_view *view, struct fault *fault);

/*
 * Put the reason into *fault, as FAULT_DENIED.  `memory` is what was tried on the process's memory;
 * NULL when not even its environment may be seen.
 */
void permission_explain(const struct process *process, const struct process_memory *memory,
			struct fault *fault);

/* The value of /proc/sys/kernel/yama/ptrace_scope, or -1 where the kernel has no Yama. */
int permission_yama_scope(void);

#endif
