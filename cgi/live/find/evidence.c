#include "cgi/live/find/evidence.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgi/live/process/process_root.h"

/* A program writes its meta-data when its packages have initialised themselves. */
static const int64_t initialising_ns = 60 * (int64_t)1000000000;

static int collect(struct evidence *evidence, struct fault *fault)
{
	unsigned i;

	evidence->files = FILE_EVIDENCE_INIT;
	for (i = 0; i < evidence->watched->n; i++) {
		int dir_fd = evidence->watched->dirs[i].fd;
		struct stat st;

		if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
			continue;
		if (evidence_files_collect(cache_evidence_files(evidence->cache), dir_fd, &st,
					   evidence->clock->now_ns, &evidence->files, fault) < 0)
			return -1;
		if (st.st_uid != 0)
			user_set_add(&evidence->dir_owners, st.st_uid);
	}
	evidence->collected = true;
	return 0;
}

/* Is it older than all that its kind has written? */
static bool is_too_old(const struct evidence *evidence, uint64_t start_ticks)
{
	return evidence->files.oldest_meta_ns != INT64_MAX &&
	       boot_clock_unix_ns(evidence->clock, start_ticks) <
		   evidence->files.oldest_meta_ns - initialising_ns;
}

static bool is_suspect(const struct evidence *evidence, uid_t uid, bool too_old)
{
	return user_set_has(&evidence->dir_owners, uid) ||
	       (user_set_has(&evidence->files.owners, uid) && !too_old);
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

static int look_for_coverage(struct evidence *evidence, const char *command,
			     const struct deadline *deadline, struct fault *fault)
{
	if (*command == '/')
		return is_without_coverage(evidence, command, deadline, fault);
	return is_common_program(evidence, command, deadline, fault);
}

static uint64_t hash_of(const char *command)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *command; command++)
		hash = (hash ^ (unsigned char)*command) * 0x100000001b3u;
	return hash | 1; /* 0 = free */
}

static uint64_t *place_of(struct evidence *evidence, uint64_t hash)
{
	return &evidence->others[(hash >> 8) % EVIDENCE_COMMANDS];
}

/* Many processes may run one program. */
static bool is_known_as_something_else(struct evidence *evidence, const char *command)
{
	uint64_t hash = hash_of(command);

	return *place_of(evidence, hash) == hash;
}

/* By its command line, which anybody may see: 1, 0, -1. */
static int is_something_else(struct evidence *evidence, const char *command,
			     const struct deadline *deadline, struct fault *fault)
{
	int other = look_for_coverage(evidence, command, deadline, fault);
	uint64_t hash = hash_of(command);

	if (other > 0)
		*place_of(evidence, hash) = hash;
	return other;
}

/* --- a process -----------------------------------------------------------------------------------
 */

/*
 * Could it be one of ours, as far as its program and its user tell?  1, 0, -1.  Its user comes
 * first: not everybody may have us read the files that he names on a command line.
 */
static int may_be_ours(struct evidence *evidence, int proc_fd, pid_t pid, bool too_old,
		       const struct deadline *deadline, struct fault *fault)
{
	cleanup_process struct process process = PROCESS_INIT;
	cleanup_string_list struct string_list argv = STRING_LIST_INIT;
	struct process_status status;
	int other;

	if (process_open_only(&process, proc_fd, pid, fault) < 0 ||
	    process_command_line(&process, &argv, fault) < 0)
		return -1;
	if (argv.n == 0) /* a thread of the kernel */
		return 0;
	if (is_known_as_something_else(evidence, argv.items[0].text))
		return 0;
	if (process_read_status(&process, &status, fault) < 0)
		return -1;
	if (!is_suspect(evidence, status.uid, too_old))
		return 0;
	other = is_something_else(evidence, argv.items[0].text, deadline, fault);
	return other < 0 ? -1 : !other;
}

int evidence_says_ours(struct evidence *evidence, int proc_fd, pid_t pid,
		       const struct process_stat *stat, const struct deadline *deadline,
		       struct fault *fault)
{
	struct fault unseen = FAULT_INIT;
	bool too_old;
	int ours;

	if (!evidence->collected && collect(evidence, fault) < 0)
		return -1;
	too_old = is_too_old(evidence, stat->start_ticks);
	if (!evidence->dir_owners.n && (too_old || !evidence->files.owners.n))
		return 0; /* whoever runs it */
	ours = may_be_ours(evidence, proc_fd, pid, too_old, deadline, &unseen);
	if (ours >= 0)
		return ours;
	if (unseen.kind != FAULT_REQUEST)
		return 0;
	*fault = unseen;
	return -1;
}
