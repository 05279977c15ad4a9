#include "cgi/live/process/process_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

void process_memory_open(struct process_memory *process, int dir_fd, pid_t pid)
{
	*process = (struct process_memory){.pid = pid, .dir_fd = dir_fd, .mem_fd = -1};
}

/* At the first read: many a process is found to have nothing that is worth one. */
static void open_mem(struct process_memory *process)
{
	process->opened = true;
	process->mem_fd = openat(process->dir_fd, "mem", O_RDONLY | O_CLOEXEC);
	process->mem_errno = process->mem_fd < 0 ? errno : 0;
}

void process_memory_close(struct process_memory *process)
{
	if (process->mem_fd >= 0)
		close(process->mem_fd);
	process->mem_fd = -1;
}

static int gone(struct fault *fault)
{
	return fault_set(fault, FAULT_GONE, "it ended while it was read");
}

static int unmapped(struct fault *fault, uint64_t at, size_t got, size_t n)
{
	return fault_set(fault, FAULT_UNMAPPED, "only %zu of %zu bytes are mapped at %#llx", got, n,
			 (unsigned long long)at);
}

static int denied(const struct process_memory *process, struct fault *fault)
{
	return fault_set(fault, FAULT_DENIED, "process_vm_readv: %s; /proc/%d/mem: %s",
			 strerror(process->call_errno), (int)process->pid,
			 strerror(process->mem_errno));
}

static int read_mem(struct process_memory *process, uint64_t at, char *out, size_t n,
		    struct fault *fault)
{
	size_t done = 0;

	if (process->mem_fd < 0)
		return process->mem_errno == ENOENT || process->mem_errno == ESRCH
			   ? gone(fault)
			   : denied(process, fault);
	while (done < n) {
		ssize_t got = pread(process->mem_fd, out + done, n - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			return gone(fault);
		if (got < 0 && (errno == EIO || errno == EFAULT || errno == EINVAL))
			return unmapped(fault, at, done, n);
		if (got < 0) {
			process->mem_errno = errno;
			return denied(process, fault);
		}
		done += (size_t)got;
	}
	return 0;
}

/* 1 = read; 0 = try the other way; -1 = fault. */
static int read_call(struct process_memory *process, uint64_t at, char *out, size_t n,
		     struct fault *fault)
{
	size_t done = 0;

	while (done < n) {
		struct iovec local = {out + done, n - done};
		struct iovec remote = {(void *)(uintptr_t)(at + done), n - done};
		ssize_t got = process_vm_readv(process->pid, &local, 1, &remote, 1, 0);

		if (got < 0 && errno == ESRCH)
			return gone(fault);
		if (got == 0 || (got < 0 && (errno == EFAULT || errno == EINVAL)))
			return unmapped(fault, at, done, n);
		if (got < 0) {
			process->call_errno = errno;
			return 0;
		}
		done += (size_t)got;
	}
	return 1;
}

static int read_process(const void *context, uint64_t at, void *out, size_t n, struct fault *fault)
{
	/* the source is made from a pointer that may be written to, see below */
	struct process_memory *process = (struct process_memory *)context;
	int result = 0;

	if (at > INT64_MAX - n)
		return unmapped(fault, at, 0, n);
	if (!process->opened)
		open_mem(process);
	if (!process->call_errno)
		result = read_call(process, at, out, n, fault);
	if (result)
		return result < 0 ? -1 : 0;
	return read_mem(process, at, out, n, fault);
}

struct memory process_memory_source(struct process_memory *process)
{
	return (struct memory){read_process, process};
}

bool process_memory_same(const struct process_memory *process, uint64_t at)
{
	char byte;

	if (process->mem_fd < 0)
		return true;
	return pread(process->mem_fd, &byte, 1, (off_t)at) == 1;
}
