/* What coverage files tell of who runs the services: the same from what is remembered as anew. */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "cgi/live/find/evidence_files.h"

enum { FILES = 40, STEPS = 150 };

static const int64_t second = 1000000000;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * second + now.tv_nsec;
}

static struct evidence_files *nothing_known(void)
{
	struct evidence_files *known = calloc(1, sizeof *known);

	assert_non_null(known);
	evidence_files_init(known);
	return known;
}

static void forget(struct evidence_files *known)
{
	evidence_files_destroy(known);
	free(known);
}

static struct file_evidence collect(struct evidence_files *known, const char *dir, int64_t now)
{
	struct file_evidence evidence = FILE_EVIDENCE_INIT;
	cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault fault = FAULT_INIT;
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_int_equal(evidence_files_collect(known, fd, &st, now, &evidence, &fault), 0);
	return evidence;
}

static struct file_evidence collect_anew(const char *dir)
{
	struct evidence_files *known = nothing_known();
	struct file_evidence evidence = collect(known, dir, now_ns());

	forget(known);
	return evidence;
}

static void expect_same(const struct file_evidence *a, const struct file_evidence *b)
{
	unsigned i;

	assert_int_equal(a->owners.n, b->owners.n);
	for (i = 0; i < a->owners.n; i++)
		assert_true(user_set_has(&b->owners, a->owners.users[i]));
}

/* A file of some user, where this one may give files away, written some time ago. */
static void put(const char *path, unsigned *random)
{
	struct timespec times[2] = {{1700000000 + rand_r(random) % 1000, rand_r(random) % 1000}};

	times[1] = times[0];
	write_file(path, "x", 1);
	if (chown(path, (uid_t)rand_r(random) % 5, (gid_t)-1) < 0)
		assert_int_equal(errno, EPERM);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void change(const char *dir, unsigned *random)
{
	static const char *const kinds[] = {"covmeta", "other"};
	static int counters; /* files so far: no name comes twice */
	char path[600];

	if (rand_r(random) % 2) {
		snprintf(path, sizeof path, "%s/%s.%d", dir, kinds[rand_r(random) % 2],
			 rand_r(random) % FILES);
		if (unlink(path) < 0)
			put(path, random);
		return;
	}
	snprintf(path, sizeof path, "%s/covcounters.%d", dir, rand_r(random) % (counters + 1));
	if (unlink(path) == 0)
		return;
	snprintf(path, sizeof path, "%s/covcounters.%d", dir, counters++);
	put(path, random);
}

/* The clock of a directory moves on by ticks. */
static void wait_for_tick(void)
{
	struct timespec pause = {0, 12000000};

	nanosleep(&pause, NULL);
}

static void random_changes(void **state)
{
	const char *dir = in_scratch("changes");
	struct evidence_files *known = nothing_known();
	unsigned random = 20261129;
	int i;

	(void)state;
	assert_int_equal(mkdir(dir, 0777), 0);
	for (i = 0; i < STEPS; i++) {
		struct file_evidence anew = collect_anew(dir), again;
		/* a directory that seems to have rested is not listed again */
		int64_t now = now_ns() + (rand_r(&random) % 2 ? 10 * second : 0);

		again = collect(known, dir, now);
		expect_same(&again, &anew);
		again = collect(known, dir, now);
		expect_same(&again, &anew);
		wait_for_tick();
		change(dir, &random);
	}
	forget(known);
}

/* What rests is not looked at again: a change that leaves no trace in the directory is not seen. */
static void what_rests_is_remembered(void **state)
{
	const char *dir = in_scratch("rests");
	struct evidence_files *known = nothing_known();
	struct file_evidence evidence;
	char path[600];

	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else can give files away */
	assert_int_equal(mkdir(dir, 0777), 0);
	snprintf(path, sizeof path, "%s/covmeta.1", dir);
	write_file(path, "x", 1);
	evidence = collect(known, dir, now_ns() + 10 * second);
	assert_true(user_set_has(&evidence.owners, 0));
	assert_int_equal(chown(path, 1234, (gid_t)-1), 0);
	evidence = collect(known, dir, now_ns() + 10 * second);
	assert_true(user_set_has(&evidence.owners, 0));
	evidence = collect_anew(dir);
	assert_false(user_set_has(&evidence.owners, 0));
	assert_true(user_set_has(&evidence.owners, 1234));
	forget(known);
}

/* Several directories are one sum. */
static void directories_add_up(void **state)
{
	struct evidence_files *known = nothing_known();
	struct file_evidence sum = FILE_EVIDENCE_INIT;
	unsigned random = 5;
	int round, i;

	(void)state;
	for (i = 0; i < 2 * EVIDENCE_DIRS; i++) {
		char name[32], path[600];

		snprintf(name, sizeof name, "sum%d", i);
		assert_int_equal(mkdir(in_scratch(name), 0777), 0);
		snprintf(path, sizeof path, "%s/covmeta.%d", in_scratch(name), i);
		put(path, &random);
	}
	for (round = 0; round < 3; round++)
		for (i = 0; i < 2 * EVIDENCE_DIRS; i++) {
			cleanup_fd int fd = -1;
			struct file_evidence anew;
			struct fault fault = FAULT_INIT;
			struct stat st;
			char name[32];

			snprintf(name, sizeof name, "sum%d", i);
			anew = collect_anew(in_scratch(name));
			fd = open(in_scratch(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			assert_true(fd >= 0 && fstat(fd, &st) == 0);
			assert_int_equal(evidence_files_collect(
					     known, fd, &st, now_ns() + 10 * second, &sum, &fault),
					 0);
			assert_true(user_set_has(&sum.owners, anew.owners.users[0]));
		}
	forget(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_changes),
	    cmocka_unit_test(what_rests_is_remembered),
	    cmocka_unit_test(directories_add_up),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
