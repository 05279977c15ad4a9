#include "cgi/live/process/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* What may be done about another user's process; the manual has the details. */
#define REMEDY "run both as the same user and group, or give this program CAP_SYS_PTRACE"

static int own_status(struct process_status *status)
{
	cleanup_process struct process self = PROCESS_INIT;
	struct fault ignored = FAULT_INIT;

	self.pid = getpid();
	self.dir_fd = self.leader_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return self.dir_fd < 0 ? -1 : process_read_status(&self, status, &ignored);
}

int permission_yama_scope(void)
{
	cleanup_fd int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return -1;
	return atoi(text);
}

static void explain_memory(const struct process_memory *memory, struct fault *fault)
{
	int scope = permission_yama_scope();

	if (scope > 0)
		fault_set(fault, FAULT_DENIED,
			  "Yama forbids it (/proc/sys/kernel/yama/ptrace_scope is %d): %s", scope,
			  scope > 2
			      ? "3 lets nobody pass, and stays until the next start of the machine"
			      : "set it to 0, or give this program CAP_SYS_PTRACE");
	else
		fault_set(fault, FAULT_DENIED,
			  "its environment may be read but not its memory (process_vm_readv: %s; "
			  "/proc/%d/mem: %s): a seccomp or AppArmor profile of a container forbids "
			  "it; allow it there",
			  strerror(memory->call_errno), (int)memory->pid,
			  strerror(memory->mem_errno));
}

static void explain_user(const struct process_status *own, const struct process_status *other,
			 struct fault *fault)
{
	if (own->uid == 0)
		fault_set(fault, FAULT_DENIED,
			  "this program is root but lacks CAP_SYS_PTRACE, as containers take it "
			  "away: add it to the container's capabilities");
	else if (own->uid != other->uid)
		fault_set(fault, FAULT_DENIED, "it runs as uid %u, this program as uid %u: %s",
			  (unsigned)other->uid, (unsigned)own->uid, REMEDY);
	else if (own->gid != other->gid)
		fault_set(fault, FAULT_DENIED, "it runs with gid %u, this program with gid %u: %s",
			  (unsigned)other->gid, (unsigned)own->gid, REMEDY);
	else if (other->capabilities & ~own->capabilities)
		fault_set(fault, FAULT_DENIED,
			  "it has capabilities that this program lacks: give this program "
			  "CAP_SYS_PTRACE");
	else
		fault_set(
		    fault, FAULT_DENIED,
		    "it is not dumpable (its executable is not readable for its user, has "
		    "set-user-id or file capabilities, or it asked for it), or lives in another "
		    "user namespace: make the executable readable, or give this program "
		    "CAP_SYS_PTRACE");
}

void permission_explain(const struct process *process, const struct process_memory *memory,
			struct fault *fault)
{
	struct process_status own, other;
	struct fault ignored = FAULT_INIT;

	if (memory)
		explain_memory(memory, fault);
	else if (own_status(&own) < 0 || process_read_status(process, &other, &ignored) < 0)
		fault_set(fault, FAULT_DENIED, "the system does not let this program look into it");
	else
		explain_user(&own, &other, fault);
}
