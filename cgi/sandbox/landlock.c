#include "cgi/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>

/* The kernel's interface by its values: the headers may be older than the kernel that runs this. */
enum { CALL_CREATE = 444, CALL_ADD_RULE = 445, CALL_RESTRICT_SELF = 446 };
enum { ASK_VERSION = 1, RULE_BELOW_PATH = 1 };

struct rule_set {
	uint64_t files, network, scope; /* what is taken away unless a rule gives it back */
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

enum {
	WRITE_FILE = 1 << 1,
	REMOVE_DIRECTORY = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_ANY = 0x7f << 6, /* devices, directories, files, sockets, pipes, links */
	REFER = 1 << 13,      /* links and renames across directories; version 2 */
	TRUNCATE = 1 << 14,   /* 3 */
	NETWORK_TCP = 3,      /* bind and connect; 4 */
	SCOPE_ALL = 3,	      /* abstract unix sockets, signals; 6 */
};

int landlock_version(const char **reason)
{
	long version = syscall(CALL_CREATE, NULL, 0, ASK_VERSION);

	if (version > 0)
		return (int)version;
	*reason = errno == EPERM ? "a seccomp profile around this program forbids Landlock"
		  : errno == EOPNOTSUPP
		      ? "Landlock is switched off in this kernel (lsm= on its command line)"
		      : "this kernel has no Landlock (Linux 5.13, CONFIG_SECURITY_LANDLOCK)";
	return 0;
}

static uint64_t changes(int version)
{
	uint64_t rights = WRITE_FILE | REMOVE_DIRECTORY | REMOVE_FILE | MAKE_ANY;

	if (version >= 2)
		rights |= REFER;
	if (version >= 3)
		rights |= TRUNCATE;
	return rights;
}

int landlock_rules(struct error *err)
{
	const char *reason = "";
	int version = landlock_version(&reason);
	struct rule_set set = {.files = changes(version)};
	long fd;

	if (version == 0)
		return error_set(err, ERROR_INTERNAL, "%s", reason);
	if (version >= 4)
		set.network = NETWORK_TCP;
	if (version >= 6)
		set.scope = SCOPE_ALL;
	/* a kernel takes a longer structure than its own as long as the rest is zero */
	fd = syscall(CALL_CREATE, &set, sizeof set, 0); /* close-on-exec by itself */
	if (fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "Landlock refuses its rules");
	return (int)fd;
}

static int allow(int rules_fd, const char *path, uint64_t rights, struct error *err)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_rule rule = {rights, fd};

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (fd < 0 || syscall(CALL_ADD_RULE, rules_fd, RULE_BELOW_PATH, &rule, 0) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "Landlock refuses a rule for %s",
				   path);
	return 0;
}

int landlock_allow_changes(int rules_fd, const char *dir, struct error *err)
{
	const char *reason = "";

	return allow(rules_fd, dir, changes(landlock_version(&reason)), err);
}

int landlock_allow_removal(int rules_fd, const char *dir, struct error *err)
{
	return allow(rules_fd, dir, REMOVE_FILE, err);
}

int landlock_allow_writing(int rules_fd, const char *file, struct error *err)
{
	return allow(rules_fd, file, WRITE_FILE, err);
}

int landlock_confine_thread(int rules_fd)
{
	return (int)syscall(CALL_RESTRICT_SELF, rules_fd, 0);
}
