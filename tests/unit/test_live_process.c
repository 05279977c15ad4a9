/* What /proc tells, and the memory of a real process. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "cgi/live/process/environment.h"
#include "cgi/live/process/maps.h"
#include "cgi/live/process/process_memory.h"

static const char *value_of(const char *block, size_t len, size_t *value_len)
{
	return environment_gocoverdir(block, len, value_len);
}

#define expect_gocoverdir(block, want)                                                             \
	do {                                                                                       \
		size_t len_ = 0;                                                                   \
		const char *got_ = value_of(block, sizeof block - 1, &len_);                       \
                                                                                                   \
		assert_non_null(got_);                                                             \
		assert_int_equal(len_, strlen(want));                                              \
		assert_memory_equal(got_, want, len_);                                             \
	} while (0)

#define expect_none(block) assert_null(value_of(block, sizeof block - 1, &(size_t){0}))

static void environment(void **state)
{
	(void)state;
	expect_gocoverdir("GOCOVERDIR=/a\0", "/a");
	expect_gocoverdir("HOME=/\0GOCOVERDIR=/a\0X=1\0", "/a");
	expect_gocoverdir("XGOCOVERDIR=/x\0GOCOVERDIR=/a\0GOCOVERDIR=/b\0", "/a");
	expect_gocoverdir("X=GOCOVERDIR=/x\0GOCOVERDIR=/a", "/a");
	expect_none("GOCOVERDIR=\0");
	expect_none("GOCOVERDIR=\0GOCOVERDIR=/b\0");
	expect_none("GOCOVERDIR");
	expect_none("GOCOVERDIRS=/a\0XGOCOVERDIR=/b\0");
	expect_none("\0\0\0");
	assert_null(value_of(NULL, 0, &(size_t){0}));
}

#define expect_argument(block, want)                                                               \
	do {                                                                                       \
		size_t len_ = 0;                                                                   \
		const char *got_ = arguments_gocoverdir(block, sizeof block - 1, &len_);           \
                                                                                                   \
		assert_non_null(got_);                                                             \
		assert_int_equal(len_, strlen(want));                                              \
		assert_memory_equal(got_, want, len_);                                             \
	} while (0)

#define expect_no_argument(block)                                                                  \
	assert_null(arguments_gocoverdir(block, sizeof block - 1, &(size_t){0}))

static void arguments(void **state)
{
	(void)state;
	expect_argument("x\0-test.gocoverdir=/a\0", "/a");
	expect_argument("x\0--test.gocoverdir\0/a\0-v", "/a");
	expect_argument("x\0-test.gocoverdir=/a\0-test.gocoverdir=/b\0", "/b");
	expect_argument("x\0-test.gocoverdir\0-test.gocoverdir\0", "-test.gocoverdir");
	expect_argument("x\0-v\0\0-test.gocoverdir=/a", "/a");
	expect_no_argument("-test.gocoverdir=/a\0");
	expect_no_argument("x\0--\0-test.gocoverdir=/a\0");
	expect_no_argument("x\0-test.gocoverdir=\0");
	expect_no_argument("x\0-test.gocoverdir\0");
	expect_no_argument("x\0-test.gocoverdirs=/a\0---test.gocoverdir=/a\0");
	expect_no_argument("x");
	expect_no_argument("");
}

#define expect_intact(block, want)                                                                 \
	assert_int_equal(environment_is_intact(block, sizeof block - 1), want)

static void written_over(void **state)
{
	(void)state;
	assert_true(environment_is_intact("", 0));
	expect_intact("HOME=/\0", true);
	expect_intact("HOME=/\0X=\0BASH_FUNC_f%%=() {  a\n}\0", true);
	expect_intact("HOME=/", false);
	expect_intact("shop: worker\0", false);
	expect_intact("HOME=/\0\0\0\0", false);
	expect_intact("\0HOME=/\0", false);
	expect_intact("ker\0HOME=/\0", false);
	expect_intact("shop: mode=fast\0HOME=/\0", false);
	expect_intact("=x\0", false);
}

static void maps(void **state)
{
	static const char text[] =
	    "00400000-00452000 r--p 00000000 08:02 173521      /usr/bin/a b\n"
	    "00452000-00453000 r-xp 00052000 08:02 173521      /usr/bin/a b\n"
	    "00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
	    "7f0000000000-7f0000001000 r--p 00000000 103:0a 18446744073709551615 /lib/x.so "
	    "(deleted)\n"
	    "7f0000002000-7f0000003000 rw-p 00000000 00:00 0 \n"
	    "nonsense\n"
	    "7f0000004000-7f0000005000 r--p 00000000 00:01 7 /no/line/feed";
	struct mapped_files mapped = MAPPED_FILES_INIT;
	struct fault fault = FAULT_INIT;

	(void)state;
	assert_int_equal(maps_parse(&mapped, text, sizeof text - 1, &fault), 0);
	assert_int_equal(mapped.n, 3);
	assert_string_equal(mapped.files[0].path, "/usr/bin/a b");
	assert_int_equal(mapped.files[0].start, 0x400000);
	assert_int_equal(mapped.files[0].inode, 173521);
	assert_string_equal(mapped.files[1].path, "/lib/x.so (deleted)");
	assert_true(mapped.files[1].inode == UINT64_MAX);
	assert_true(mapped.files[1].dev == (0x103ULL << 32 | 0x0a));
	assert_string_equal(mapped.files[2].path, "/no/line/feed");
	maps_free(&mapped);
}

static void maps_too_long(void **state)
{
	char text[6000] = "00400000-00452000 r--p 00000000 08:02 1 /";
	struct mapped_files mapped = MAPPED_FILES_INIT;
	struct fault fault = FAULT_INIT;

	(void)state;
	memset(text + strlen(text), 'a', sizeof text - strlen(text));
	assert_int_equal(maps_parse(&mapped, text, sizeof text, &fault), 0);
	assert_int_equal(mapped.n, 0);
	maps_free(&mapped);
}

/* A child that has two pages of known content, the second of them unmapped, and waits. */
struct child {
	pid_t pid;
	unsigned char *page;
	int proc_fd;
	struct process process;
	struct process_memory memory;
	struct memory source;
};

static struct child child;

static int start_child(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	struct fault fault = FAULT_INIT;

	(void)state;
	child.page = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (child.page == MAP_FAILED)
		return -1;
	memset(child.page, 'x', (size_t)page);
	munmap(child.page + page, (size_t)page);
	child.pid = fork();
	if (child.pid == 0) {
		for (;;)
			pause();
	}
	child.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	child.process = PROCESS_INIT;
	child.memory = PROCESS_MEMORY_INIT;
	if (process_open(&child.process, child.proc_fd, child.pid, &fault) < 0)
		return -1;
	process_memory_open(&child.memory, child.process.dir_fd, child.pid);
	child.source = process_memory_source(&child.memory);
	return 0;
}

static void end_child_now(void)
{
	if (child.pid > 0) {
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
	}
	child.pid = 0;
}

static int end_child(void **state)
{
	(void)state;
	end_child_now();
	process_memory_close(&child.memory);
	process_close(&child.process);
	close(child.proc_fd);
	munmap(child.page, (size_t)sysconf(_SC_PAGESIZE));
	return 0;
}

static void read_page(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *copy = calloc(1, 2 * page);
	struct fault fault = FAULT_INIT;

	assert_non_null(copy);
	assert_int_equal(memory_read(&child.source, (uintptr_t)child.page, copy, page, &fault), 0);
	assert_memory_equal(copy, child.page, page);
	/* the second page is not there: an error with the count, whatever was copied */
	assert_int_equal(
	    memory_read(&child.source, (uintptr_t)child.page + page - 8, copy, 16, &fault), -1);
	assert_int_equal(fault.kind, FAULT_UNMAPPED);
	assert_non_null(strstr(fault.reason, "only 8 of 16 bytes"));
	assert_int_equal(memory_read(&child.source, 16, copy, 16, &fault), -1);
	assert_int_equal(fault.kind, FAULT_UNMAPPED);
	assert_int_equal(memory_read(&child.source, UINT64_MAX - 4, copy, 16, &fault), -1);
	assert_int_equal(fault.kind, FAULT_UNMAPPED);
	free(copy);
}

static void by_call(void **state)
{
	(void)state;
	read_page();
	assert_int_equal(child.memory.call_errno, 0);
	assert_true(process_memory_same(&child.memory, (uintptr_t)child.page));
}

/* As in a container whose seccomp profile forbids the call alone. */
static void by_file(void **state)
{
	(void)state;
	child.memory.call_errno = EPERM;
	read_page();
}

static void neither(void **state)
{
	struct fault fault = FAULT_INIT;
	char byte;

	(void)state;
	child.memory.opened = true;
	child.memory.call_errno = EPERM;
	child.memory.mem_errno = EACCES;
	assert_int_equal(memory_read(&child.source, (uintptr_t)child.page, &byte, 1, &fault), -1);
	assert_int_equal(fault.kind, FAULT_DENIED);
}

static void gone(void **state)
{
	struct fault fault = FAULT_INIT;
	char byte;

	(void)state;
	child.process.exe = (struct file_identity){0};
	assert_int_equal(process_see_executable(&child.process, &fault), 0);
	assert_int_equal(memory_read(&child.source, (uintptr_t)child.page, &byte, 1, &fault), 0);
	assert_true(process_is_same(&child.process));
	end_child_now();
	assert_int_equal(memory_read(&child.source, (uintptr_t)child.page, &byte, 1, &fault), -1);
	assert_int_equal(fault.kind, FAULT_GONE);
	child.memory.call_errno = EPERM;
	assert_int_equal(memory_read(&child.source, (uintptr_t)child.page, &byte, 1, &fault), -1);
	assert_int_equal(fault.kind, FAULT_GONE);
	assert_false(process_memory_same(&child.memory, (uintptr_t)child.page));
	assert_false(process_is_same(&child.process));
	assert_true(process_has_ended(&child.process));
}

/* The memory of this very process, as far as /proc tells it. */
static void self(void **state)
{
	struct process process = PROCESS_INIT;
	struct process_status status;
	struct fault fault = FAULT_INIT;
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(process_open(&process, proc_fd, getpid(), &fault), 0);
	assert_int_equal(process.stat.parent, getppid());
	assert_int_equal(process_read_status(&process, &status, &fault), 0);
	assert_int_equal(status.uid, geteuid());
	assert_int_equal(status.gid, getegid());
	assert_true(status.ns_pid > 0);
	process_close(&process);
	close(proc_fd);
}

int main(void)
{
#define child_test(test) cmocka_unit_test_setup_teardown(test, start_child, end_child)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(environment),
	    cmocka_unit_test(arguments),
	    cmocka_unit_test(written_over),
	    cmocka_unit_test(maps),
	    cmocka_unit_test(maps_too_long),
	    child_test(by_call),
	    child_test(by_file),
	    child_test(neither),
	    child_test(gone),
	    cmocka_unit_test(self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
