#include "cgi/live/evidence.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgi/live/process_root.h"

/* A program writes its meta-data when its packages have initialised themselves. */
static const int64_t initialising_ns = 60 * (int64_t)1000000000;

static bool has_user(const struct user_set *set, uid_t uid)
{
	unsigned i;

	for (i = 0; i < set->n; i++)
		if (set->users[i] == uid)
			return true;
	return false;
}

static void add_user(struct user_set *set, uid_t uid)
{
	if (!has_user(set, uid) && set->n < EVIDENCE_MAX_USERS)
		set->users[set->n++] = uid;
}

static void see_file(struct evidence *evidence, int dir_fd, const char *name)
{
	bool is_meta = !strncmp(name, "covmeta.", 8);
	struct stat st;
	int64_t written_ns;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	add_user(&evidence->file_owners, st.st_uid);
	written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (is_meta && written_ns < evidence->oldest_meta_ns)
		evidence->oldest_meta_ns = written_ns;
}

/* Without it a process that can't be read would go unnoticed: what can't be listed is an error. */
static int collect_files(struct evidence *evidence, int dir_fd, struct fault *fault)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned seen = 0;

	if (!dir) {
		fault_from_errno(fault, "GOCOVERDIR can't be listed");
		if (fd >= 0)
			close(fd);
		return fault->kind == FAULT_REQUEST ? -1 : 0;
	}
	while (seen < EVIDENCE_MAX_FILES && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "covmeta.", 8) &&
		    strncmp(entry->d_name, "covcounters.", 12))
			continue;
		seen++;
		see_file(evidence, dir_fd, entry->d_name);
	}
	return 0;
}

static int collect(struct evidence *evidence, struct fault *fault)
{
	unsigned i;

	evidence->oldest_meta_ns = INT64_MAX;
	for (i = 0; i < evidence->watched->n; i++) {
		int dir_fd = evidence->watched->dirs[i].fd;
		struct stat st;

		if (dir_fd < 0)
			continue;
		if (collect_files(evidence, dir_fd, fault) < 0)
			return -1;
		if (fstat(dir_fd, &st) == 0 && st.st_uid != 0)
			add_user(&evidence->dir_owners, st.st_uid);
	}
	evidence->collected = true;
	return 0;
}

static bool is_suspect(const struct evidence *evidence, uid_t uid, const struct process_stat *stat)
{
	int64_t start_ns = boot_clock_unix_ns(evidence->clock, stat->start_ticks);

	if (has_user(&evidence->dir_owners, uid))
		return true;
	return has_user(&evidence->file_owners, uid) &&
	       (evidence->oldest_meta_ns == INT64_MAX ||
		start_ns >= evidence->oldest_meta_ns - initialising_ns);
}

/* Does the program at this path not say that it was built with -cover?  1, 0, -1; 0 when it can't
 * be read. */
static int is_without_coverage(struct evidence *evidence, const char *path,
			       const struct deadline *deadline, struct fault *fault)
{
	cleanup_fd int path_fd = open(path, O_PATH | O_CLOEXEC);
	cleanup_fd int fd = path_fd < 0 ? -1 : open_regular(path_fd);
	cleanup_executable struct executable *exe = NULL;
	struct file_identity identity;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	identity = file_identity_of(&st);
	exe = cache_executable(evidence->cache, fd, &identity, deadline, fault);
	if (!exe)
		return fault->kind == FAULT_REQUEST ? -1 : 0;
	return !exe->build.cover;
}

/* A name without a path: "sh", "-bash" of a login shell, "nginx: worker process". */
static int is_common_program(struct evidence *evidence, const char *name,
			     const struct deadline *deadline, struct fault *fault)
{
	static const char *const places[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					     "/usr/bin",	"/sbin",	  "/bin"};
	char path[PATH_MAX];
	size_t i, len;

	name += *name == '-';
	len = strcspn(name, ": ");
	if (len == 0 || memchr(name, '/', len))
		return 0;
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s/%.*s", places[i], (int)len, name);
		if (access(path, X_OK) == 0)
			return is_without_coverage(evidence, path, deadline, fault);
	}
	return 0;
}

/* By its command line, which anybody may see: 1, 0, -1. */
static int is_something_else(struct evidence *evidence, const char *command,
			     const struct deadline *deadline, struct fault *fault)
{
	if (*command == '/')
		return is_without_coverage(evidence, command, deadline, fault);
	return is_common_program(evidence, command, deadline, fault);
}

int evidence_says_ours(struct evidence *evidence, int proc_fd, pid_t pid,
		       const struct deadline *deadline, struct fault *fault)
{
	cleanup_process struct process process = PROCESS_INIT;
	cleanup_string_list struct string_list argv = STRING_LIST_INIT;
	struct process_status status;
	struct fault unseen = FAULT_INIT;
	int other;

	if (!evidence->collected && collect(evidence, fault) < 0)
		return -1;
	if (!evidence->file_owners.n && !evidence->dir_owners.n)
		return 0;
	if (process_open(&process, proc_fd, pid, &unseen) < 0 ||
	    process_command_line(&process, &argv, &unseen) < 0 || argv.n == 0 ||
	    process_read_status(&process, &status, &unseen) < 0 ||
	    !is_suspect(evidence, status.uid, &process.stat)) {
		if (unseen.kind != FAULT_REQUEST)
			return 0;
		*fault = unseen;
		return -1;
	}
	other = is_something_else(evidence, argv.items[0].text, deadline, fault);
	return other < 0 ? -1 : !other;
}
