/*
 * A process as /proc shows it.  Its directory is opened once and everything is read through that
 * descriptor, which goes stale when the process ends, whoever gets its number next.
 */
#ifndef GOVERAGE_LIVE_PROCESS_PROCESS_H
#define GOVERAGE_LIVE_PROCESS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgi/base/buffer.h"
#include "cgi/base/file_identity.h"
#include "cgi/base/string_list.h"
#include "cgi/live/process/fault.h"

struct process_stat {
	char state; /* 'R', 'S', 'Z', ... */
	pid_t parent;
	bool of_kernel; /* a thread of the kernel */
	unsigned threads;
	uint64_t
	    start_ticks; /* since boot, in clock ticks: with the pid, the identity of a process */
	/* addresses; 0 or 1 when this program may not look into the process */
	uint64_t start_code, start_stack, arg_start, env_start, env_end;
	uint64_t virtual_bytes; /* of its address space */
};

struct process_status {
	uid_t uid, gid;	       /* effective; as this program sees them */
	uid_t uids[4];	       /* real, effective, saved, of the file system */
	uint64_t ns_pid;       /* the pid as the process itself sees it */
	uint64_t capabilities; /* permitted */
};

struct process {
	pid_t pid;
	/*
	 * A thread that shows what all threads share: the first one, whose number is pid, unless
	 * that one has ended before the others.  Then its memory, files and directories are gone
	 * from /proc/PID.
	 */
	pid_t tid;
	int dir_fd;    /* /proc/PID, or /proc/PID/task/TID of that thread; -1 = none */
	int leader_fd; /* /proc/PID; the same descriptor as dir_fd as a rule */
	struct process_stat stat;
	struct file_identity exe;
};

#define PROCESS_INIT ((struct process){.dir_fd = -1, .leader_fd = -1})

/*
 * Open process `pid` of the mounted proc file system and look at its state.  -1: FAULT_GONE
 * (zombies too, unless threads of theirs live on).  Whether its memory may be read is seen later.
 */
must_check int process_open(struct process *process, int proc_fd, pid_t pid, struct fault *fault);

/* The same without a look at its state, which stays zero. */
must_check int process_open_only(struct process *process, int proc_fd, pid_t pid,
				 struct fault *fault);

/* A look at its state alone, which costs less. */
must_check int process_look(int proc_fd, pid_t pid, struct process_stat *stat, struct fault *fault);

/* Learn which executable it runs.  -1: FAULT_GONE, FAULT_DENIED. */
must_check int process_see_executable(struct process *process, struct fault *fault);

/*
 * Could a Go runtime be at work in it, by what everybody may see?  One starts threads before
 * anything else, and reserves more than half a gigabyte of addresses.
 */
bool process_may_run_go(const struct process_stat *stat);

/* The same process with the same program in it? */
bool process_stat_same(const struct process_stat *a, const struct process_stat *b);

/*
 * Is it still the process that was opened, and does it run what it ran then?  An exec changes the
 * file or, when it runs the same one again, the random addresses of its stack.
 */
bool process_is_same(const struct process *process);

bool process_has_ended(const struct process *process);

/* A descriptor of the executable, whatever has become of its path; the caller's.  -1 with a
 * fault. */
must_check int process_open_executable(const struct process *process, struct fault *fault);

/* The path of the executable, the caller's; NULL where it can't be had. */
char *process_executable_path(const struct process *process);

/* The command line; at most PROCESS_ARGV_MAX bytes of it.  Readable for everybody. */
must_check int process_command_line(const struct process *process, struct string_list *argv,
				    struct fault *fault);

must_check int process_read_status(const struct process *process, struct process_status *status,
				   struct fault *fault);

/* A file of the process's directory: at most `max` bytes are appended to out.  0, or -1 with
 * errno. */
must_check int process_read_file(int dir_fd, const char *name, struct buffer *out, size_t max);

/* The same for a file that comes a page at a time, such as maps. */
must_check int process_read_pages(int dir_fd, const char *name, struct buffer *out, size_t max);

void process_close(struct process *process);

#define cleanup_process cleanup_with(process_close)

enum { PROCESS_ARGV_MAX = 128 << 10 };

#endif
