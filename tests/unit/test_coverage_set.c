/* Which files of GOCOVERDIR an answer is made of. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cgi/coverage_set.h"
#include "made_coverage.h"
#include "scratch.h"

static const char *const prog_a[] = {"example.com/lib", "example.com/a", NULL};
static const char *const prog_b[] = {"example.com/b", NULL};

static void write_meta(const char *name, const char *const *packages, uint8_t mode)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_meta(&b, packages, mode);
	write_file(in_scratch(name), b.data, b.len);
}

static void write_counters(const char *name)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_counters(&b, 1);
	write_file(in_scratch(name), b.data, b.len);
}

static void make_dir(const char *name)
{
	assert_int_equal(mkdir(in_scratch(name), 0700), 0);
}

static int read_set(struct coverage_set *set, const char *gocoverdir, struct error *err)
{
	struct deadline deadline = deadline_in_ms(60000, -1);

	memset(err, 0, sizeof *err);
	return coverage_set_read(set, gocoverdir, &deadline, err);
}

/* The names of the set, directory index in front: "0/covmeta.x 1/…". */
static const char *names(const struct coverage_set *set)
{
	static char text[4096];
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < set->n_files; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%u/%s", i ? " " : "",
					 set->files[i].dir, set->files[i].name);
	return text;
}

/* --- the value of GOCOVERDIR -------------------------------------------------------------------
 */

static void expect_error(const char *gocoverdir, enum error_class class, const char *part)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	assert_int_equal(read_set(&set, gocoverdir, &err), -1);
	assert_int_equal(err.class, class);
	if (!strstr(err.message, part))
		fail_msg("no \"%s\" in: %s", part, err.message);
}

static void missing_directory_is_not_made(void **state)
{
	const char *path = in_scratch("missing");
	struct stat st;

	(void)state;
	expect_error(path, ERROR_UNAVAILABLE, path);
	expect_error(path, ERROR_UNAVAILABLE, "does not exist: no process has been started");
	assert_int_equal(stat(path, &st), -1);
}

static void what_is_no_directory_is_told(void **state)
{
	(void)state;
	write_file(in_scratch("plain"), "x", 1);
	expect_error(in_scratch("plain"), ERROR_INTERNAL, "is not a directory: set it");
	expect_error(in_scratch("plain/below"), ERROR_INTERNAL, "is not a directory: set it");
}

/* In a process that is nobody: root may read everything. */
static void unreadable_directory_is_told(void **state)
{
	static const mode_t modes[] = {0, 0100, 0400};
	size_t i;

	(void)state;
	make_dir("closed");
	make_dir("closed/in");
	assert_int_equal(chmod(scratch, 0755), 0);
	for (i = 0; i < sizeof modes / sizeof *modes; i++) {
		int status;
		pid_t pid;

		assert_int_equal(chmod(in_scratch("closed"), modes[i] >> 6), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct coverage_set set = COVERAGE_SET_INIT;
			struct error err;

			if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
				_exit(1);
			if (read_set(&set, in_scratch("closed"), &err) != -1 ||
			    err.class != ERROR_INTERNAL)
				_exit(2);
			_exit(strstr(err.message, "can't be read by uid") ? 0 : 3);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_int_equal(chmod(in_scratch("closed"), 0700), 0);
}

static void empty_elements_are_told(void **state)
{
	char text[256];

	(void)state;
	make_dir("one");
	expect_error("", ERROR_INTERNAL, "empty element");
	expect_error(",", ERROR_INTERNAL, "empty element");
	snprintf(text, sizeof text, "%s,", in_scratch("one"));
	expect_error(text, ERROR_INTERNAL, "empty element");
	snprintf(text, sizeof text, ",%s", in_scratch("one"));
	expect_error(text, ERROR_INTERNAL, "empty element");
	snprintf(text, sizeof text, "%s,,%s", in_scratch("one"), in_scratch("one"));
	expect_error(text, ERROR_INTERNAL, "empty element");
	/* nothing is trimmed */
	snprintf(text, sizeof text, "%s ", in_scratch("one"));
	expect_error(text, ERROR_UNAVAILABLE, "does not exist");
}

static void too_many_directories_are_refused(void **state)
{
	cleanup_buffer struct buffer list = BUFFER_INIT;
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < 257; i++) {
		snprintf(name, sizeof name, "many%d", i);
		make_dir(name);
		buffer_printf(&list, "%s%s", i ? "," : "", in_scratch(name));
	}
	expect_error(buffer_str(&list), ERROR_INTERNAL, "more than 256 directories");
}

static void one_directory_counts_once(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;
	char text[512];

	(void)state;
	make_dir("once");
	write_meta("once/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	assert_int_equal(symlink(in_scratch("once"), in_scratch("same")), 0);
	snprintf(text, sizeof text, "%s,%s,%s", in_scratch("same"), in_scratch("once"),
		 in_scratch("once/."));
	assert_int_equal(read_set(&set, text, &err), 0);
	assert_int_equal(set.dirs.n, 1);
	assert_string_equal(set.dirs.items[0].text, in_scratch("once"));
	assert_int_equal(set.n_files, 1);
}

static void relative_paths_become_absolute(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("relative");
	assert_int_equal(chdir(in_scratch("relative")), 0);
	assert_int_equal(read_set(&set, "../relative", &err), 0);
	assert_int_equal(chdir("/"), 0);
	assert_string_equal(set.dirs.items[0].text, in_scratch("relative"));
	assert_int_equal(set.n_files, 0);
}

/* --- the choice of files -----------------------------------------------------------------------
 */

static void good_files_are_taken_in_order(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;
	struct stat st;

	(void)state;
	make_dir("good");
	write_counters("good/covcounters." TAG_B ".20.5");
	write_meta("good/covmeta." TAG_B, prog_b, COUNTER_MODE_COUNT);
	write_counters("good/covcounters." TAG_A ".7.1795362491854281307");
	write_meta("good/covmeta." TAG_A, prog_a, COUNTER_MODE_COUNT);
	write_counters("good/covcounters." TAG_B ".3.6");
	assert_int_equal(read_set(&set, in_scratch("good"), &err), 0);
	assert_string_equal(names(&set), "0/covcounters." TAG_A ".7.1795362491854281307 "
					 "0/covcounters." TAG_B ".20.5 "
					 "0/covcounters." TAG_B ".3.6 "
					 "0/covmeta." TAG_A " 0/covmeta." TAG_B);
	assert_int_equal(set.n_meta, 2);
	assert_int_equal(set.n_counters, 3);
	assert_int_equal(set.skipped, 0);
	assert_int_equal(set.files[0].pid, 7);
	assert_true(set.files[0].time_ns == 1795362491854281307);
	assert_int_equal(set.files[3].mode, COUNTER_MODE_COUNT);
	assert_int_equal(set.files[3].granularity, GRANULARITY_PERBLOCK);
	assert_int_equal(stat(in_scratch("good/covmeta." TAG_A), &st), 0);
	assert_int_equal(set.files[3].size, st.st_size);
	assert_memory_equal(coverage_tag(&set.files[3]), TAG_A, 32);
}

static void what_covdata_ignores_is_ignored(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("other");
	make_dir("other/covmeta." TAG_B);
	make_dir("other/covcounters." TAG_A ".1.1");
	write_file(in_scratch("other/tmp.covmeta." TAG_A "17"), "", 0);
	write_file(in_scratch("other/tmp.covcounters." TAG_A ".1.2"), "", 0);
	write_file(in_scratch("other/README"), "x", 1);
	write_file(in_scratch("other/covcounters." TAG_A ".1.2.gz"), "x", 1);
	write_meta("other/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	assert_int_equal(read_set(&set, in_scratch("other"), &err), 0);
	assert_string_equal(names(&set), "0/covmeta." TAG_A);
	assert_int_equal(set.skipped, 0);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
}

static void bad_files_are_left_out_and_counted(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("bad");
	write_meta("bad/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_counters("bad/covcounters." TAG_A ".1.1");
	write_file(in_scratch("bad/covcounters." TAG_A ".2.2"), "", 0);
	write_file(in_scratch("bad/covcounters." TAG_A ".3.3"), "\0cwm", 4);
	write_file(in_scratch("bad/covcounters." TAG_A ".4.4"), "hello, world: no counters", 25);
	write_counters("bad/covcounters.orphan.5.5");
	write_file(in_scratch("bad/covmeta.empty"), "", 0);
	write_counters("bad/covcounters.empty.6.6");
	write_file(in_scratch("bad/covmeta.foreign"),
		   "this file is longer than the header, and not ours", 49);
	assert_int_equal(mkfifo(in_scratch("bad/covmeta.fifo"), 0600), 0);
	assert_int_equal(symlink("/nonexistent", in_scratch("bad/covmeta.dangling")), 0);
	assert_int_equal(symlink("covmeta.loop", in_scratch("bad/covmeta.loop")), 0);
	assert_int_equal(symlink("/", in_scratch("bad/covmeta.directory")), 0);
	assert_int_equal(symlink("/dev/zero", in_scratch("bad/covmeta.device")), 0);
	make_socket(in_scratch("bad/covmeta.socket"));
	assert_int_equal(read_set(&set, in_scratch("bad"), &err), 0);
	assert_string_equal(names(&set), "0/covcounters." TAG_A ".1.1 0/covmeta." TAG_A);
	assert_int_equal(set.skipped, 13);
}

static void links_to_good_files_are_taken(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("target");
	make_dir("linked");
	write_meta("target/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	assert_int_equal(symlink("../target/covmeta." TAG_A, in_scratch("linked/covmeta.mine")), 0);
	assert_int_equal(read_set(&set, in_scratch("linked"), &err), 0);
	assert_string_equal(names(&set), "0/covmeta.mine");
}

static void tags_pair_across_directories(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;
	char text[512];

	(void)state;
	make_dir("x");
	make_dir("y");
	make_dir("z");
	write_counters("x/covcounters." TAG_B ".1.1");	   /* its meta-data is in z */
	write_file(in_scratch("x/covmeta." TAG_A), "", 0); /* the next one is good */
	write_meta("y/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_counters("z/covcounters." TAG_A ".2.2");
	write_file(in_scratch("z/covmeta." TAG_A), "never looked at", 15);
	write_meta("z/covmeta." TAG_B, prog_b, COUNTER_MODE_SET);
	snprintf(text, sizeof text, "%s,%s,%s", in_scratch("x"), in_scratch("y"), in_scratch("z"));
	assert_int_equal(read_set(&set, text, &err), 0);
	assert_string_equal(names(&set), "0/covcounters." TAG_B ".1.1 1/covmeta." TAG_A
					 " 2/covcounters." TAG_A ".2.2 2/covmeta." TAG_B);
	assert_int_equal(set.skipped, 1);
}

/* A tag that begins another one, and tags of all lengths. */
static void tags_are_compared_whole(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("tags");
	write_meta("tags/covmeta.a", prog_a, COUNTER_MODE_SET);
	write_meta("tags/covmeta.a.1", prog_a, COUNTER_MODE_SET);
	write_meta("tags/covmeta.abc", prog_a, COUNTER_MODE_SET);
	write_counters("tags/covcounters.a.1.2.3"); /* tag "a.1" */
	write_counters("tags/covcounters.a.2.3");
	write_counters("tags/covcounters.ab.2.3");
	write_counters("tags/covcounters.abcd.2.3");
	assert_int_equal(read_set(&set, in_scratch("tags"), &err), 0);
	assert_string_equal(names(&set), "0/covcounters.a.1.2.3 0/covcounters.a.2.3 0/covmeta.a "
					 "0/covmeta.a.1 0/covmeta.abc");
	assert_int_equal(set.skipped, 2);
}

static void unknown_versions_are_left_to_covdata(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_buffer struct buffer b = BUFFER_INIT;
	struct error err;

	(void)state;
	make_dir("newer");
	make_meta(&b, prog_a, COUNTER_MODE_SET);
	b.data[COVMETA_AT_VERSION] = 2;
	write_file(in_scratch("newer/covmeta.new"), b.data, b.len);
	write_meta("newer/covmeta.old", prog_b, COUNTER_MODE_ATOMIC);
	assert_int_equal(read_set(&set, in_scratch("newer"), &err), 0);
	assert_int_equal(set.n_meta, 2);
	assert_int_equal(set.files[0].mode, COUNTER_MODE_NONE);
	assert_int_equal(coverage_set_check_modes(&set, &err), 0);
}

enum { MANY = 100000 };

/* Many names of a few files: some file systems give one file 65,000 names at most. */
static void many_files_are_read(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	char name[128], first[128] = "";
	struct error err;
	int i;

	(void)state;
	make_dir("heap");
	write_meta("heap/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "heap/covcounters." TAG_A ".1.%d", i);
		if (i % 20000 == 0) {
			write_counters(name);
			memcpy(first, name, sizeof first);
		} else {
			assert_int_equal(link(in_scratch(first), in_scratch(name)), 0);
		}
	}
	assert_int_equal(read_set(&set, in_scratch("heap"), &err), 0);
	assert_int_equal(set.n_counters, MANY);
	assert_int_equal(set.skipped, 0);
}

/* --- waits and shortages -----------------------------------------------------------------------
 */

static void deadline_and_cancellation_end_it(void **state)
{
	cleanup_fd int cancel = eventfd(1, EFD_CLOEXEC);
	struct deadline passed = {0, -1}, cancelled = deadline_in_ms(60000, cancel);
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT, other = COVERAGE_SET_INIT;
	struct error err = {0};

	(void)state;
	make_dir("late");
	assert_int_equal(coverage_set_read(&set, in_scratch("late"), &passed, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	assert_non_null(strstr(err.message, "GOVERAGE_TIMEOUT"));
	assert_int_equal(coverage_set_read(&other, in_scratch("late"), &cancelled, &err), -1);
	assert_int_equal(err.class, ERROR_CANCELLED);
}

static void shortage_of_descriptors_is_no_bad_file(void **state)
{
	struct rlimit saved, none;
	struct error err;
	int room;

	(void)state;
	make_dir("short");
	write_meta("short/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = saved;
	for (room = 0; room < 200; room++) {
		cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
		int rc;

		none.rlim_cur = (rlim_t)room;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		rc = read_set(&set, in_scratch("short"), &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
		assert_int_equal(set.skipped, 0);
		if (rc == 0)
			break;
		assert_int_equal(err.class, ERROR_UNAVAILABLE);
	}
	assert_in_range(room, 3, 199);
}

static int open_descriptors(void)
{
	cleanup_dir DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static void nothing_is_left_open(void **state)
{
	int before = open_descriptors();
	char text[512];

	(void)state;
	make_dir("closing");
	write_meta("closing/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_file(in_scratch("closing/covmeta.bad"), "", 0);
	snprintf(text, sizeof text, "%s,/nonexistent", in_scratch("closing"));
	expect_error(text, ERROR_UNAVAILABLE, "/nonexistent");
	expect_error(in_scratch("closing/covmeta.bad"), ERROR_INTERNAL, "not a directory");
	assert_int_equal(open_descriptors(), before);
}

/* --- afterwards --------------------------------------------------------------------------------
 */

static void leaving_out_takes_the_counters_along(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("out");
	write_meta("out/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_meta("out/covmeta." TAG_B, prog_b, COUNTER_MODE_SET);
	write_counters("out/covcounters." TAG_A ".1.1");
	write_counters("out/covcounters." TAG_A ".2.2");
	write_counters("out/covcounters." TAG_B ".3.3");
	write_counters("out/covcounters." TAG_B ".4.4");
	assert_int_equal(read_set(&set, in_scratch("out"), &err), 0);
	coverage_set_leave_out(&set, 3, "unexpected EOF");
	assert_int_equal(set.skipped, 1);
	assert_int_equal(set.n_counters, 3);
	coverage_set_leave_out(&set, 3, "unexpected EOF");
	assert_string_equal(names(&set), "0/covcounters." TAG_B ".3.3 0/covmeta." TAG_B);
	assert_int_equal(set.skipped, 4);
	assert_int_equal(set.n_meta, 1);
	assert_int_equal(set.n_counters, 1);
}

static void vanished_files_are_dropped_in_silence(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;
	char text[512];

	(void)state;
	make_dir("stays");
	make_dir("goes");
	write_meta("stays/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_counters("stays/covcounters." TAG_A ".1.1");
	write_counters("stays/covcounters." TAG_A ".2.2");
	write_counters("goes/covcounters." TAG_A ".3.3");
	snprintf(text, sizeof text, "%s,%s", in_scratch("goes"), in_scratch("stays"));
	assert_int_equal(read_set(&set, text, &err), 0);
	assert_int_equal(set.n_files, 4);
	coverage_set_drop_vanished(&set);
	assert_int_equal(set.n_files, 4);
	remove_tree(in_scratch("goes"));
	assert_int_equal(unlink(in_scratch("stays/covcounters." TAG_A ".1.1")), 0);
	coverage_set_drop_vanished(&set);
	assert_string_equal(names(&set), "1/covcounters." TAG_A ".2.2 1/covmeta." TAG_A);
	assert_int_equal(set.skipped, 0);
}

/* --- modes -------------------------------------------------------------------------------------
 */

static void mixed_modes_name_modes_and_programs(void **state)
{
	static const char *const more[][2] = {
	    {"example.com/c", NULL}, {"example.com/d", NULL}, {"example.com/e", NULL}};
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT, mixed = COVERAGE_SET_INIT,
						 many = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("modes");
	write_meta("modes/covmeta.1", prog_a, COUNTER_MODE_SET);
	assert_int_equal(read_set(&set, in_scratch("modes"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&set, &err), 0);
	write_meta("modes/covmeta.2", prog_b, COUNTER_MODE_ATOMIC);
	assert_int_equal(read_set(&mixed, in_scratch("modes"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&mixed, &err), -1);
	assert_int_equal(err.class, ERROR_CONFLICT);
	assert_string_equal(
	    err.message, "GOCOVERDIR mixes counter modes, which covdata can't merge: set "
			 "(example.com/a), atomic (example.com/b); give each mode a directory of "
			 "its own, or rebuild with one -covermode");
	write_meta("modes/covmeta.3", more[0], COUNTER_MODE_SET);
	write_meta("modes/covmeta.4", more[1], COUNTER_MODE_SET);
	write_meta("modes/covmeta.5", more[2], COUNTER_MODE_SET);
	write_meta("modes/covmeta.6", prog_a, COUNTER_MODE_COUNT);
	assert_int_equal(read_set(&many, in_scratch("modes"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&many, &err), -1);
	assert_non_null(strstr(err.message, "set (example.com/a, example.com/c, example.com/d and "
					    "others), atomic (example.com/b), count "
					    "(example.com/a);"));
}

static void mixed_granularities_are_told(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_buffer struct buffer b = BUFFER_INIT;
	struct error err;

	(void)state;
	make_dir("grains");
	write_meta("grains/covmeta.1", prog_a, COUNTER_MODE_SET);
	make_meta(&b, prog_b, COUNTER_MODE_SET);
	b.data[COVMETA_AT_GRANULARITY] = GRANULARITY_PERFUNC;
	write_file(in_scratch("grains/covmeta.2"), b.data, b.len);
	assert_int_equal(read_set(&set, in_scratch("grains"), &err), 0);
	assert_int_equal(coverage_set_check_modes(&set, &err), -1);
	assert_int_equal(err.class, ERROR_CONFLICT);
	assert_non_null(strstr(err.message, "perblock (example.com/a), perfunc (example.com/b)"));
}

static void vanished_programs_are_named_by_their_files(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	(void)state;
	make_dir("ghosts");
	write_meta("ghosts/covmeta.1", prog_a, COUNTER_MODE_SET);
	write_meta("ghosts/covmeta.2", prog_b, COUNTER_MODE_COUNT);
	assert_int_equal(read_set(&set, in_scratch("ghosts"), &err), 0);
	remove_tree(in_scratch("ghosts"));
	assert_int_equal(coverage_set_check_modes(&set, &err), -1);
	assert_non_null(strstr(err.message, "set (covmeta.1), count (covmeta.2)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(missing_directory_is_not_made),
	    cmocka_unit_test(what_is_no_directory_is_told),
	    cmocka_unit_test(unreadable_directory_is_told),
	    cmocka_unit_test(empty_elements_are_told),
	    cmocka_unit_test(too_many_directories_are_refused),
	    cmocka_unit_test(one_directory_counts_once),
	    cmocka_unit_test(relative_paths_become_absolute),
	    cmocka_unit_test(good_files_are_taken_in_order),
	    cmocka_unit_test(what_covdata_ignores_is_ignored),
	    cmocka_unit_test(bad_files_are_left_out_and_counted),
	    cmocka_unit_test(links_to_good_files_are_taken),
	    cmocka_unit_test(tags_pair_across_directories),
	    cmocka_unit_test(tags_are_compared_whole),
	    cmocka_unit_test(unknown_versions_are_left_to_covdata),
	    cmocka_unit_test(many_files_are_read),
	    cmocka_unit_test(deadline_and_cancellation_end_it),
	    cmocka_unit_test(shortage_of_descriptors_is_no_bad_file),
	    cmocka_unit_test(nothing_is_left_open),
	    cmocka_unit_test(leaving_out_takes_the_counters_along),
	    cmocka_unit_test(vanished_files_are_dropped_in_silence),
	    cmocka_unit_test(mixed_modes_name_modes_and_programs),
	    cmocka_unit_test(mixed_granularities_are_told),
	    cmocka_unit_test(vanished_programs_are_named_by_their_files),
	};

	return cmocka_run_group_tests_name("coverage_set", tests, make_scratch, remove_scratch);
}
