/* Which files of GOCOVERDIR an answer is made of. */
#include "coverage_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "cgi/directory/coverage_names.h"

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

/* What is changed in one of them stays in the others. */
static void copies_share_until_one_is_changed(void **state)
{
	static const char whole[] = "0/covcounters." TAG_A ".1.1 0/covmeta." TAG_A;
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT, copy, alone, last;
	struct error err;

	(void)state;
	make_dir("shared");
	write_meta("shared/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_counters("shared/covcounters." TAG_A ".1.1");
	assert_int_equal(read_set(&set, in_scratch("shared"), &err), 0);
	assert_int_equal(coverage_set_copy(&alone, &set, &err), 0);
	assert_true(alone.files != set.files && !alone.shared);
	coverage_set_share(&set);
	coverage_set_share(&set);
	assert_int_equal(coverage_set_copy(&copy, &set, &err), 0);
	assert_int_equal(coverage_set_copy(&last, &copy, &err), 0);
	assert_true(copy.files == set.files && last.shared == set.shared);
	assert_int_equal(coverage_set_own(&copy, &err), 0);
	assert_true(copy.files != set.files && !copy.shared);
	coverage_set_leave_out(&copy, 0, "unexpected EOF");
	assert_int_equal(copy.n_counters, 0);
	assert_string_equal(names(&set), whole);
	coverage_set_free(&set);
	assert_string_equal(names(&last), whole);
	/* the last one has it all for itself, without a copy */
	assert_int_equal(coverage_set_own(&last, &err), 0);
	coverage_set_leave_out(&last, 0, "unexpected EOF");
	assert_string_equal(names(&last), "0/covmeta." TAG_A);
	assert_string_equal(names(&alone), whole);
	coverage_set_free(&copy);
	coverage_set_free(&alone);
	coverage_set_free(&last);
}

static void the_rest_leaves_in_silence(void **state)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT, other;
	const bool keep[] = {false, true, true};
	struct error err;

	(void)state;
	make_dir("kept");
	write_meta("kept/covmeta." TAG_A, prog_a, COUNTER_MODE_SET);
	write_counters("kept/covcounters." TAG_A ".1.1");
	write_counters("kept/covcounters." TAG_A ".2.2");
	assert_int_equal(read_set(&set, in_scratch("kept"), &err), 0);
	coverage_set_share(&set);
	assert_int_equal(coverage_set_copy(&other, &set, &err), 0);
	assert_int_equal(coverage_set_keep(&set, keep, &err), 0);
	assert_string_equal(names(&set), "0/covcounters." TAG_A ".2.2 0/covmeta." TAG_A);
	assert_int_equal(set.n_counters, 1);
	assert_int_equal(set.skipped + set.vanished, 0);
	assert_int_equal(other.n_files, 3);
	coverage_set_free(&other);
}

/* Of a set that somebody else has read: what he found good is not opened, whatever it has
 * become. */
static void findings_are_believed(void **state)
{
	const enum coverage_finding findings[] = {
	    COVERAGE_GOOD, COVERAGE_DAMAGED, COVERAGE_UNREAD, COVERAGE_GOOD, COVERAGE_GOOD,
	};
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct error err;

	(void)state;
	make_dir("found");
	write_file(in_scratch("found/covcounters." TAG_A ".1.1"), "bad", 3);
	write_counters("found/covcounters." TAG_A ".2.2");
	write_file(in_scratch("found/covcounters." TAG_A ".3.3"), "bad", 3);
	write_counters("found/covcounters." TAG_B ".4.4");
	write_meta("found/covmeta." TAG_A, prog_a, COUNTER_MODE_COUNT);
	assert_int_equal(coverage_set_list(&set, in_scratch("found"), &deadline, &err), 0);
	coverage_set_believe(&set, findings);
	assert_int_equal(set.n_files, 4);
	assert_int_equal(set.n_counters, 3);
	assert_int_equal(set.skipped, 1);
	assert_int_equal(coverage_set_screen(&set, &deadline, &err), 0);
	/* 3.3 was looked into, and 4.4 has no meta-data */
	assert_string_equal(names(&set), "0/covcounters." TAG_A ".1.1 0/covmeta." TAG_A);
	assert_int_equal(set.skipped, 3);
	assert_int_equal(set.files[1].mode, COUNTER_MODE_COUNT);
}

/* Whether meta-data is good is seen by the screening: it takes more from them than that. */
static void meta_data_are_looked_into_all_the_same(void **state)
{
	const enum coverage_finding findings[] = {COVERAGE_GOOD, COVERAGE_GOOD};
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct error err;

	(void)state;
	make_dir("meta");
	write_counters("meta/covcounters." TAG_A ".1.1");
	write_file(in_scratch("meta/covmeta." TAG_A), "bad", 3);
	assert_int_equal(coverage_set_list(&set, in_scratch("meta"), &deadline, &err), 0);
	coverage_set_believe(&set, findings);
	assert_int_equal(coverage_set_screen(&set, &deadline, &err), 0);
	assert_int_equal(set.n_files, 0);
	assert_int_equal(set.skipped, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_files_are_taken_in_order),
	    cmocka_unit_test(what_covdata_ignores_is_ignored),
	    cmocka_unit_test(bad_files_are_left_out_and_counted),
	    cmocka_unit_test(links_to_good_files_are_taken),
	    cmocka_unit_test(tags_pair_across_directories),
	    cmocka_unit_test(tags_are_compared_whole),
	    cmocka_unit_test(unknown_versions_are_left_to_covdata),
	    cmocka_unit_test(many_files_are_read),
	    cmocka_unit_test(leaving_out_takes_the_counters_along),
	    cmocka_unit_test(vanished_files_are_dropped_in_silence),
	    cmocka_unit_test(copies_share_until_one_is_changed),
	    cmocka_unit_test(the_rest_leaves_in_silence),
	    cmocka_unit_test(findings_are_believed),
	    cmocka_unit_test(meta_data_are_looked_into_all_the_same),
	};

	return cmocka_run_group_tests_name("coverage_set", tests, make_scratch, remove_scratch);
}
