#include "cgi/live/process/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	CAP_SYS_PTRACE_BIT = 19,
	NAMES_NOBODY = 65534, /* what an id is that a user namespace does not know */
};

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

/* The first user namespace of a machine maps all ids to themselves; true where that can't be
 * told. */
static bool is_first_user_namespace(void)
{
	cleanup_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned long inside, outside, count;
	char text[128] = "";

	if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
		return true;
	return sscanf(text, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == 4294967295;
}

/* --- what is in the way ---------------------------------------------------------------------- */

/* Put one more thing behind those that are there. */
__attribute__((format(printf, 2, 3))) static void add(struct fault *fault, const char *fmt, ...)
{
	size_t used = strlen(fault->reason);
	va_list ap;

	used += (size_t)snprintf(fault->reason + used, sizeof fault->reason - used, "%s",
				 used ? ", and " : "");
	va_start(ap, fmt);
	if (used < sizeof fault->reason)
		vsnprintf(fault->reason + used, sizeof fault->reason - used, fmt, ap);
	va_end(ap);
}

static bool has_capability(const struct permission_view *v)
{
	return v->own.capabilities >> CAP_SYS_PTRACE_BIT & 1;
}

/* An id that is nobody's may be any: then they can't be compared. */
static bool is_outside(const struct permission_view *v)
{
	return v->own_user_namespace &&
	       (has_capability(v) || v->own.uid == NAMES_NOBODY || v->other.uid == NAMES_NOBODY);
}

/* Users, groups, capabilities: true where these differ. */
static bool tell_credentials(const struct permission_view *v, struct fault *fault)
{
	const struct process_status *own = &v->own, *other = &v->other;
	bool differ = own->uid != other->uid || own->gid != other->gid;

	if (own->uid != other->uid)
		add(fault, "it runs as uid %u, this program as uid %u", (unsigned)other->uid,
		    (unsigned)own->uid);
	if (own->gid != other->gid)
		add(fault, "it runs with gid %u, this program with gid %u", (unsigned)other->gid,
		    (unsigned)own->gid);
	if (other->capabilities & ~own->capabilities)
		add(fault, "it has capabilities that this program lacks");
	return differ || (other->capabilities & ~own->capabilities);
}

static void tell_yama(const struct permission_view *v, struct fault *fault)
{
	if (v->yama > 0)
		add(fault, "Yama forbids it (/proc/sys/kernel/yama/ptrace_scope is %d)", v->yama);
}

/* Neither users nor Yama explain it. */
static void tell_rest(const struct permission_view *v, struct fault *fault)
{
	if (*fault->reason)
		return;
	if (v->memory_was_tried)
		add(fault,
		    "its environment may be read but not its memory (process_vm_readv: %s; "
		    "/proc/PID/mem: %s): a seccomp or AppArmor profile of a container forbids it",
		    strerror(v->call_errno), strerror(v->mem_errno));
	else if (has_capability(v))
		add(fault, "a security module, such as AppArmor or SELinux, forbids it");
	else
		add(fault, "it is not dumpable (its executable is not readable for its user, has "
			   "set-user-id or file capabilities, or it asked for it), or lives in "
			   "another user namespace");
}

/* --- what suffices --------------------------------------------------------------------------- */

static const char *root_takes(const struct permission_view *v)
{
	return v->own.uid == 0 ? "give this program CAP_SYS_PTRACE (it is root without it, as "
				 "containers take it away: add it to the container's capabilities)"
			       : "give this program CAP_SYS_PTRACE";
}

/* It is enough to become like the service where nothing else is in the way. */
static void advise(const struct permission_view *v, bool credentials_differ, struct fault *fault)
{
	/* who becomes another user gets no capabilities by that, but for root */
	bool same_would_do = (v->own.uid != v->other.uid || v->own.gid != v->other.gid) &&
			     (v->other.uid == 0 || !(v->other.capabilities & ~v->own.capabilities));
	size_t used = strlen(fault->reason);
	char *out = fault->reason + used;
	size_t room = sizeof fault->reason - used;

	if (v->yama > 2)
		snprintf(out, room,
			 ": 3 lets nobody pass, and stays until the next start of the "
			 "machine");
	else if (is_outside(v))
		snprintf(out, room, ": run this program in the user namespace of the service");
	else if (has_capability(v) || (v->memory_was_tried && !credentials_differ && v->yama <= 0))
		snprintf(out, room, ": allow it there");
	else if (same_would_do)
		snprintf(out, room, ": %s, or run both as the same user and group%s", root_takes(v),
			 v->yama > 0 ? " with ptrace_scope set to 0" : "");
	else if (v->yama > 0 && !credentials_differ)
		snprintf(out, room, ": %s, or set it to 0", root_takes(v));
	else if (credentials_differ || v->own.uid == 0)
		snprintf(out, room, ": %s", root_takes(v));
	else
		snprintf(out, room, ": make the executable readable, or %s", root_takes(v));
}

void permission_describe(const struct permission_view *v, struct fault *fault)
{
	bool differ = false;

	fault_set(fault, FAULT_DENIED, "%s", "");
	if (is_outside(v))
		add(fault,
		    "it lives outside of the user namespace of this program, whose capabilities "
		    "count only inside");
	else if (!has_capability(v))
		differ = tell_credentials(v, fault);
	/* the capability passes Yama, but for scope 3 */
	if (!has_capability(v) || v->yama > 2)
		tell_yama(v, fault);
	tell_rest(v, fault);
	advise(v, differ, fault);
}

void permission_explain(const struct process *process, const struct process_memory *memory,
			struct fault *fault)
{
	struct permission_view view = {.yama = permission_yama_scope(),
				       .own_user_namespace = !is_first_user_namespace()};
	struct fault ignored = FAULT_INIT;

	if (memory) {
		view.memory_was_tried = true;
		view.call_errno = memory->call_errno;
		view.mem_errno = memory->mem_errno;
	}
	if (own_status(&view.own) < 0 || process_read_status(process, &view.other, &ignored) < 0)
		fault_set(fault, FAULT_DENIED, "the system does not let this program look into it");
	else
		permission_describe(&view, fault);
}
