/* Which processes a scan looks into again, with a made /proc whose processes change as we like. */
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>

#include "cgi/live/find/discovery.h"

enum { PID = 4001, FLAGS_OF_KERNEL = 0x200040, FLAGS_OF_PROGRAM = 0x400000 };

static const struct boot_clock made_clock = {0, 1000 * (int64_t)1000000000, 10000000};

/* In clock ticks of the clock above. */
enum { LONG_AGO = 5000, JUST_NOW = 99500 };

static const char *under(const char *dir, const char *name)
{
	cleanup_buffer struct buffer path = BUFFER_INIT;

	buffer_printf(&path, "%s/%s", dir, name);
	return in_scratch(buffer_str(&path));
}

/* proc/PID, of a process with these flags that started then. */
static void put_process(const char *dir, unsigned flags, unsigned start_ticks)
{
	cleanup_buffer struct buffer stat = BUFFER_INIT;
	unsigned field;

	assert_int_equal(mkdir(in_scratch(dir), 0777), 0);
	buffer_printf(&stat, "%d (made (x) S 1", PID);
	for (field = 5; field <= 52; field++)
		buffer_printf(&stat, " %u", field == 9 ? flags : field == 22 ? start_ticks : 0);
	buffer_putc(&stat, '\n');
	write_file(under(dir, "stat"), stat.data, stat.len);
	write_file(under(dir, "environ"), "", 0);
	assert_int_equal(symlink("/", under(dir, "root")), 0);
}

static void put_environment(const char *dir)
{
	cleanup_buffer struct buffer block = BUFFER_INIT;

	buffer_printf(&block, "HOME=/%cGOCOVERDIR=%s", 0, in_scratch("watched"));
	write_file(under(dir, "environ"), block.data, block.len);
}

/* How many processes of ours a scan finds. */
static size_t found(struct live_cache *cache)
{
	cleanup_candidates struct candidates candidates = CANDIDATES_INIT;
	cleanup_watched_dirs struct watched_dirs watched = WATCHED_DIRS_INIT;
	cleanup_string_list struct string_list dirs = STRING_LIST_INIT;
	cleanup_fd int proc_fd = open(in_scratch("proc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *dir = in_scratch("watched");
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct process_ids ids = PROCESS_IDS_INIT;
	struct discovery discovery = {.proc_fd = proc_fd,
				      .watched = &watched,
				      .cache = cache,
				      .clock = &made_clock,
				      .deadline = &deadline,
				      .ids = &ids,
				      .candidates = &candidates};
	struct fault fault = FAULT_INIT;
	struct error err = {0};

	assert_int_equal(string_list_add(&dirs, dir, strlen(dir)), 0);
	assert_int_equal(watched_dirs_open(&watched, &dirs, &err), 0);
	assert_int_equal(discover(&discovery, &fault), 0);
	process_ids_free(&ids);
	return candidates.n;
}

static int make_proc(void **state)
{
	*state = live_cache_new();
	return *state && mkdir(in_scratch("watched"), 0777) == 0 &&
		       mkdir(in_scratch("proc"), 0777) == 0
		   ? 0
		   : -1;
}

static int drop_proc(void **state)
{
	live_cache_free(*state);
	remove_tree(in_scratch("watched"));
	remove_tree(in_scratch("proc"));
	return 0;
}

/* Whatever had no environment a moment ago may have one now. */
static void program_later(void **state)
{
	put_process("proc/4001", FLAGS_OF_PROGRAM, LONG_AGO);
	assert_int_equal(found(*state), 0);
	assert_int_equal(found(*state), 0);
	put_environment("proc/4001");
	assert_int_equal(found(*state), 1);
}

/* A young thread of the kernel may be about to run a program. */
static void young_thread(void **state)
{
	put_process("proc/4001", FLAGS_OF_KERNEL, JUST_NOW);
	assert_int_equal(found(*state), 0);
	assert_int_equal(found(*state), 0);
	put_environment("proc/4001");
	assert_int_equal(found(*state), 1);
}

/* An old one is not looked at again, but the next process with its number is. */
static void old_thread(void **state)
{
	struct stat st;

	put_process("proc/4001", FLAGS_OF_KERNEL, LONG_AGO);
	assert_int_equal(stat(in_scratch("proc/4001"), &st), 0);
	if (st.st_ino > UINT32_MAX)
		skip(); /* /proc has no such inode numbers, but this file system does */
	assert_int_equal(found(*state), 0);
	put_environment("proc/4001");
	assert_int_equal(found(*state), 0);
	put_process("watched/next", FLAGS_OF_PROGRAM, LONG_AGO);
	put_environment("watched/next");
	remove_tree(in_scratch("proc/4001"));
	assert_int_equal(mkdir(in_scratch("proc/4001"), 0777), 0);
	assert_int_equal(rename(in_scratch("watched/next"), in_scratch("proc/4001")), 0);
	assert_int_equal(found(*state), 1);
}

static void places(void **state)
{
	static struct kernel_threads known;

	(void)state;
	assert_false(kernel_threads_ask(&known, 7, 100));
	kernel_threads_tell(&known, 7, 100);
	assert_true(kernel_threads_ask(&known, 7, 100));
	assert_false(kernel_threads_ask(&known, 7, 101));
	assert_false(kernel_threads_ask(&known, 7 + KERNEL_THREADS_MAX, 100));
	kernel_threads_tell(&known, 7 + KERNEL_THREADS_MAX, 102);
	assert_true(kernel_threads_ask(&known, 7 + KERNEL_THREADS_MAX, 102));
	assert_false(kernel_threads_ask(&known, 7, 100));
	/* what does not fit is not known */
	kernel_threads_tell(&known, 8, (1ULL << 32) + 5);
	assert_false(kernel_threads_ask(&known, 8, (1ULL << 32) + 5));
	assert_false(kernel_threads_ask(&known, 8, 5));
	kernel_threads_tell(&known, 9, 0);
	assert_false(kernel_threads_ask(&known, 9, 0));
}

/* A process without coverage is known until it runs another program, or has more memory. */
static void plain(void **state)
{
	static struct plain_processes known;
	struct process_stat stat = {.start_ticks = 5, .start_stack = 7, .virtual_bytes = 11};

	(void)state;
	assert_false(plain_processes_have(&known, 7, &stat));
	plain_processes_add(&known, 7, &stat);
	assert_true(plain_processes_have(&known, 7, &stat));
	assert_false(plain_processes_have(&known, 7 + PLAIN_PROCESSES_MAX, &stat));
	stat.virtual_bytes = 12;
	assert_false(plain_processes_have(&known, 7, &stat));
	stat.virtual_bytes = 11;
	stat.start_stack = 8;
	assert_false(plain_processes_have(&known, 7, &stat));
}

int main(void)
{
#define proc_test(test) cmocka_unit_test_setup_teardown(test, make_proc, drop_proc)
	const struct CMUnitTest tests[] = {
	    proc_test(program_later), proc_test(young_thread), proc_test(old_thread),
	    cmocka_unit_test(places), cmocka_unit_test(plain),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
