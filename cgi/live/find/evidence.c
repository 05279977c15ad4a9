#include "cgi/live/find/evidence.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgi/live/process/process_root.h"

static const int64_t second_ns = 1000000000;
/* A program writes its meta-data when its packages have initialised themselves. */
enum { INITIALISING_S = 10 };

static void digest_marks(struct evidence *evidence)
{
	uint64_t digest = 0xcbf29ce484222325u; /* FNV-1a */
	const char *at;
	unsigned i;

	for (i = 0; i < evidence->marks.n; i++)
		for (at = evidence->marks.list[i].hex; *at; at++)
			digest = (digest ^ (unsigned char)*at) * 0x100000001b3u;
	evidence->marks_digest = (digest << 1) | 2;
}

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
	if (meta_marks_read(&evidence->marks, evidence->watched, fault) < 0)
		return -1;
	digest_marks(evidence);
	evidence->collected = true;
	return 0;
}

/* --- the program that a command line names --------------------------------------------------- */

enum named {
	NAMED_UNKNOWN, /* can't be found or read, or shows nothing */
	NAMED_PLAIN,   /* is something else */
	NAMED_COVERED, /* built with -cover, and none of those whose meta-data are here */
	NAMED_OURS,
};

/* A name without a path: "sh", "-bash" of a login shell, "nginx: worker process". */
static int open_common_program(const char *name)
{
	static const char *const places[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					     "/usr/bin",	"/sbin",	  "/bin"};
	char path[PATH_MAX];
	size_t i, len;

	name += *name == '-';
	len = strcspn(name, ": ");
	if (len == 0 || memchr(name, '/', len))
		return -1;
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s/%.*s", places[i], (int)len, name);
		if (access(path, X_OK) == 0)
			return open(path, O_PATH | O_CLOEXEC);
	}
	return -1;
}

/* For reading; -1 where it can't be had. */
static int open_named(const char *command, struct stat *st)
{
	cleanup_fd int path_fd =
	    *command == '/' ? open(command, O_PATH | O_CLOEXEC) : open_common_program(command);
	cleanup_fd int fd = path_fd < 0 ? -1 : open_regular(path_fd);

	return fd >= 0 && fstat(fd, st) == 0 ? steal_fd(&fd) : -1;
}

/* Has the file in it what one of the meta-data files has?  1, 0, -1; looked for once. */
static int has_mark(struct evidence *evidence, struct executable *exe, int fd,
		    const struct deadline *deadline, struct fault *fault)
{
	const struct meta_mark *found = NULL;
	struct memory file = memory_of_file(&fd);
	uint64_t known = atomic_load(&exe->marks_looked_for);

	if ((known & ~(uint64_t)1) == evidence->marks_digest)
		return known & 1;
	if (meta_marks_find(&evidence->marks, &file, 0, exe->identity.size, deadline, &found,
			    fault) < 0)
		return -1;
	atomic_store(&exe->marks_looked_for, evidence->marks_digest | (found ? 1 : 0));
	return found ? 1 : 0;
}

/* An enum named, or -1. */
static int look_at_named(struct evidence *evidence, const char *command,
			 const struct deadline *deadline, struct fault *fault)
{
	struct stat st;
	cleanup_fd int fd = open_named(command, &st);
	cleanup_executable struct executable *exe = NULL;
	struct file_identity identity;
	int has;

	if (fd < 0)
		return NAMED_UNKNOWN;
	identity = file_identity_of(&st);
	exe = cache_executable(evidence->cache, fd, &identity, deadline, fault);
	if (!exe)
		return fault->kind == FAULT_REQUEST ? -1 : NAMED_UNKNOWN;
	if (exe->elf.kind == ELF_NOT)
		return NAMED_UNKNOWN;
	has = has_mark(evidence, exe, fd, deadline, fault);
	if (has)
		return has < 0 ? -1 : NAMED_OURS;
	if (exe->build.cover)
		return NAMED_COVERED;
	/* a packed program has neither sections nor anything that shows */
	return exe->is_go || exe->elf.has_sections ? NAMED_PLAIN : NAMED_UNKNOWN;
}

/* --- whose it is ----------------------------------------------------------------------------- */

struct suspect {
	const char *command; /* argv[0] */
	int64_t start_ns;
	struct user_set users;
};

static bool have_common(const struct user_set *a, const struct user_set *b)
{
	unsigned i;

	for (i = 0; i < a->n; i++)
		if (user_set_has(b, a->users[i]))
			return true;
	return false;
}

static bool is_related(const struct evidence *evidence, const struct suspect *suspect)
{
	return have_common(&suspect->users, &evidence->dir_owners) ||
	       have_common(&suspect->users, &evidence->files.owners);
}

/* Files of /proc belong to root where a process is not dumpable: it may have been root's once. */
static int learn_users(const struct process *process, struct user_set *users, struct fault *fault)
{
	struct process_status status;
	struct stat st;
	unsigned i;

	if (process_read_status(process, &status, fault) < 0)
		return -1;
	for (i = 0; i < sizeof status.uids / sizeof *status.uids; i++)
		user_set_add(users, status.uids[i]);
	if (fstatat(process->leader_fd, "stat", &st, 0) == 0)
		user_set_add(users, st.st_uid);
	return 0;
}

static bool has_name(const struct suspect *suspect, const char *name)
{
	const char *slash = strrchr(suspect->command, '/');
	const char *base = slash ? slash + 1 : suspect->command;
	size_t len = strcspn(base, ": ");

	return len > 0 && strlen(name) == len && memcmp(base, name, len) == 0;
}

/* Of a process whose program tells nothing: is it the one that wrote these meta-data? */
static bool may_have_written(const struct suspect *suspect, const struct meta_mark *mark)
{
	return user_set_has(&suspect->users, mark->owner) &&
	       suspect->start_ns <= mark->written_ns &&
	       mark->written_ns - suspect->start_ns <= INITIALISING_S * second_ns;
}

static bool resembles_ours(const struct evidence *evidence, const struct suspect *suspect)
{
	unsigned i;

	for (i = 0; i < evidence->marks.n; i++)
		if (may_have_written(suspect, &evidence->marks.list[i]) ||
		    has_name(suspect, evidence->marks.list[i].name))
			return true;
	return false;
}

/* Meta-data that can't be read, or are no longer there, can't be looked for. */
static bool lacks_marks(const struct evidence *evidence, const struct suspect *suspect)
{
	unsigned i;

	for (i = 0; i < evidence->marks.n; i++)
		if (!evidence->marks.list[i].is_known)
			return true;
	return evidence->marks.n == 0 && have_common(&suspect->users, &evidence->dir_owners);
}

static int judge(struct evidence *evidence, const struct suspect *suspect,
		 const struct deadline *deadline, struct fault *fault)
{
	/* its user comes first: not everybody may have us read the files that he names */
	if (!is_related(evidence, suspect))
		return 0;
	switch (look_at_named(evidence, suspect->command, deadline, fault)) {
	case NAMED_OURS:
		return 1;
	case NAMED_COVERED:
		return lacks_marks(evidence, suspect);
	case NAMED_UNKNOWN:
		return resembles_ours(evidence, suspect);
	case NAMED_PLAIN:
		return 0;
	}
	return -1;
}

static int look_at(struct evidence *evidence, int proc_fd, pid_t pid, uint64_t start_ticks,
		   const struct deadline *deadline, struct fault *fault)
{
	cleanup_process struct process process = PROCESS_INIT;
	cleanup_string_list struct string_list argv = STRING_LIST_INIT;
	struct suspect suspect = {.start_ns = boot_clock_unix_ns(evidence->clock, start_ticks)};

	if (process_open_only(&process, proc_fd, pid, fault) < 0 ||
	    process_command_line(&process, &argv, fault) < 0)
		return -1;
	if (argv.n == 0) /* a thread of the kernel */
		return 0;
	suspect.command = argv.items[0].text;
	if (learn_users(&process, &suspect.users, fault) < 0)
		return -1;
	return judge(evidence, &suspect, deadline, fault);
}

int evidence_says_ours(struct evidence *evidence, int proc_fd, pid_t pid,
		       const struct process_stat *stat, const struct deadline *deadline,
		       struct fault *fault)
{
	struct fault unseen = FAULT_INIT;
	int ours;

	if (!process_may_run_go(stat))
		return 0;
	if (!evidence->collected && collect(evidence, fault) < 0)
		return -1;
	if (!evidence->dir_owners.n && !evidence->files.owners.n)
		return 0; /* whoever runs it */
	ours = look_at(evidence, proc_fd, pid, stat->start_ticks, deadline, &unseen);
	if (ours >= 0)
		return ours;
	if (unseen.kind != FAULT_REQUEST)
		return 0;
	*fault = unseen;
	return -1;
}
