/* A real covdata, of Go 1.23, on the files of a real program and on files that it can't read. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "cgi/covdata.h"
#include "cgi/io.h"
#include "made_coverage.h"
#include "scratch.h"

#define GO_ENVIRONMENT                                                                             \
	"GOCACHE=%1$s/cache GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOWORK=off GOENV=off "  \
	"HOME=%1$s CGO_ENABLED=0 "

static char covdata_path[512]; /* covdata of Go 1.23 */
static struct covdata *covdata;
static size_t shown; /* bytes of the last profile */

/* --- the fixture: a program, built and run with coverage ---------------------------------------
 */

static int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int sh(const char *fmt, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	return system(command);
}

/* The one line that a command prints. */
static int ask(const char *command, char *out, size_t room)
{
	FILE *pipe = popen(command, "re");

	if (!pipe)
		return -1;
	if (!fgets(out, (int)room, pipe))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return pclose(pipe) == 0 && out[0] ? 0 : -1;
}

static const char program_text[] =
    "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc size(n int) string {\n"
    "\tif n > 2 {\n\t\treturn \"many\"\n\t}\n\treturn \"few\"\n}\n\n"
    "func main() {\n\tfmt.Println(size(len(os.Args)))\n}\n";

static int find_go(char *go, size_t room)
{
	const char *root = getenv("abs_top_srcdir");
	char command[1024];

	if (!root)
		root = getenv("srcdir");
	snprintf(command, sizeof command, "'%s/scripts/go-toolchain' 1.23", root ? root : ".");
	return ask(command, go, room);
}

/* SCRATCH/set-1, SCRATCH/set-2 and SCRATCH/atomic: coverage of two modes. */
static int make_data(void)
{
	char go[512], command[1024];

	if (find_go(go, sizeof go) < 0)
		return -1;
	snprintf(command, sizeof command, "'%s' tool -n covdata", go);
	if (ask(command, covdata_path, sizeof covdata_path) < 0)
		return -1;
	write_file(in_scratch("main.go"), program_text, sizeof program_text - 1);
	write_file(in_scratch("go.mod"), "module example.com/prog\n\ngo 1.21\n", 33);
	if (sh("cd %1$s && mkdir set-1 set-2 atomic && " GO_ENVIRONMENT
	       "'%2$s' build -cover -o set . && " GO_ENVIRONMENT
	       "'%2$s' build -cover -covermode=atomic -o atom .",
	       scratch, go) != 0)
		return -1;
	return sh("cd %s && for d in 1 2; do for a in '' 'x y'; do GOCOVERDIR=set-$d ./set $a; "
		  "GOCOVERDIR=atomic ./atom $a; done; done >/dev/null",
		  scratch);
}

static int start(void **state)
{
	struct settings settings = {.covdata = covdata_path};
	struct error err = {0};

	if (make_scratch(state) < 0 || make_data() != 0)
		return -1;
	covdata = covdata_find(&settings, &err);
	return covdata ? 0 : -1;
}

static int finish(void **state)
{
	covdata_free(covdata);
	return remove_scratch(state);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct answer {
	struct coverage_set set;
	struct staging staging;
	const char *extra;
	int fd;
	struct error err;
};

static void prepare(struct answer *answer, const char *gocoverdir)
{
	struct deadline deadline = deadline_in_ms(60000, -1);

	memset(answer, 0, sizeof *answer);
	answer->fd = -1;
	assert_int_equal(coverage_set_read(&answer->set, gocoverdir, &deadline, &answer->err), 0);
	assert_int_equal(staging_open(&answer->staging, &answer->err), 0);
}

static void run(struct answer *answer)
{
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct stat st;

	answer->fd = covdata_textfmt(covdata, &answer->set, &answer->staging, answer->extra,
				     &deadline, &answer->err);
	/* the links are gone on every path */
	assert_int_equal(fstatat(answer->staging.fd, "0", &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void free_answer(struct answer *answer)
{
	if (answer->fd >= 0)
		close(answer->fd);
	staging_close(&answer->staging);
	coverage_set_free(&answer->set);
}

#define cleanup_answer cleanup_with(free_answer)

static const char *text_of(int fd)
{
	static char text[65536];
	ssize_t n = io_pread_full(fd, text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	shown = (size_t)n;
	return text;
}

/* What covdata itself prints for directories that hold nothing bad; list separated by commas. */
static const char *bare(const char *dirs)
{
	static char text[65536];
	cleanup_fd int fd = -1;
	ssize_t n;

	assert_int_equal(sh("'%s' textfmt -i=%s -o=%s/bare", covdata_path, dirs, scratch), 0);
	fd = open(in_scratch("bare"), O_RDONLY | O_CLOEXEC);
	n = io_read_full(fd, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = '\0';
	return text;
}

/* A copy of SCRATCH/set-1 to be spoiled. */
static void copy_data(const char *name)
{
	assert_int_equal(sh("cp -r %1$s/set-1 %1$s/%2$s", scratch, name), 0);
}

static void expect_profile(struct answer *answer, const char *dirs)
{
	if (answer->fd < 0)
		fail_msg("%s", answer->err.message);
	assert_string_equal(text_of(answer->fd), bare(dirs));
}

/* --- good data ---------------------------------------------------------------------------------
 */

static void profile_is_that_of_bare_covdata(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.n_counters, 2);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_in_range(shown, 100, 1000);
	assert_int_equal(fcntl(answer.fd, F_GETFD), FD_CLOEXEC);
}

static void several_directories_are_joined(void **state)
{
	cleanup_answer struct answer answer;
	char list[256];

	(void)state;
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-2"), in_scratch("set-1"));
	prepare(&answer, list);
	assert_int_equal(answer.set.n_meta, 1);
	assert_int_equal(answer.set.n_counters, 4);
	run(&answer);
	expect_profile(&answer, list);
}

static void directory_with_an_odd_name_will_do(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("'sp ace=:%s-i'");
	prepare(&answer, in_scratch("sp ace=:%s-i"));
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
}

static void made_files_are_as_go_writes_them(void **state)
{
	static const char *const packages[] = {"example.com/lib", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	cleanup_answer struct answer answer;

	(void)state;
	assert_int_equal(mkdir(in_scratch("made"), 0700), 0);
	make_meta(&meta, packages, COUNTER_MODE_COUNT);
	make_counters(&counters, 42);
	write_file(in_scratch("made/covmeta." TAG_A), meta.data, meta.len);
	write_file(in_scratch("made/covcounters." TAG_A ".1.1"), counters.data, counters.len);
	prepare(&answer, in_scratch("made"));
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_string_equal(text_of(answer.fd), "mode: count\nexample.com/lib/f.go:1.2,2.3 1 42\n");
}

static void nothing_gives_an_empty_file(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	assert_int_equal(mkdir(in_scratch("empty"), 0700), 0);
	prepare(&answer, in_scratch("empty"));
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_string_equal(text_of(answer.fd), "");
}

static void extra_files_are_joined(void **state)
{
	cleanup_answer struct answer answer;
	cleanup_fd int extra = -1;
	char list[256];

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	answer.extra = "live";
	extra = staging_subdir(&answer.staging, "live", &answer.err);
	assert_true(extra >= 0);
	assert_int_equal(sh("cp %s/set-2/* %s/live", scratch, answer.staging.path), 0);
	run(&answer);
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-1"), in_scratch("set-2"));
	expect_profile(&answer, list);
}

/* --- files that only covdata finds out about ---------------------------------------------------
 */

/* Counters that promise more entries than they hold; the one there is for a package that is not
 * there. */
static void write_bad_counters(const char *dir, int number)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	char command[512], tag[64], path[256];

	snprintf(command, sizeof command, "cd %s/%s && ls covmeta.* | cut -c9-", scratch, dir);
	assert_int_equal(ask(command, tag, sizeof tag), 0);
	make_counters(&b, 1);
	memset(b.data + COVCOUNTERS_HEADER_SIZE, 0x7f, 4);
	b.data[COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE + 4 + 1] = 9;
	snprintf(path, sizeof path, "%s/%s/covcounters.%s.99.%d", scratch, dir, tag, number);
	write_file(path, b.data, b.len);
}

static void named_files_are_left_out(void **state)
{
	cleanup_answer struct answer answer;
	int i;

	(void)state;
	copy_data("some-bad");
	for (i = 0; i < COVDATA_MAX_RETRIES; i++)
		write_bad_counters("some-bad", i);
	prepare(&answer, in_scratch("some-bad"));
	assert_int_equal(answer.set.skipped, 0);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.skipped, COVDATA_MAX_RETRIES);
	assert_int_equal(answer.set.n_counters, 2);
}

static void too_many_bad_files_are_an_error(void **state)
{
	cleanup_answer struct answer answer;
	int i;

	(void)state;
	copy_data("many-bad");
	for (i = 0; i <= COVDATA_MAX_RETRIES; i++)
		write_bad_counters("many-bad", i);
	prepare(&answer, in_scratch("many-bad"));
	run(&answer);
	assert_int_equal(answer.fd, -1);
	assert_int_equal(answer.err.class, ERROR_INTERNAL);
	assert_non_null(strstr(answer.err.message, "covdata exited with status 1: "));
	assert_non_null(strstr(answer.err.message, in_scratch("many-bad/covcounters.")));
	assert_null(strstr(answer.err.message, answer.staging.path));
}

static void unknown_version_takes_its_counters_along(void **state)
{
	static const char *const packages[] = {"example.com/new", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("newer");
	make_meta(&meta, packages, COUNTER_MODE_SET);
	make_counters(&counters, 1);
	meta.data[COVMETA_AT_VERSION] = 2;
	write_file(in_scratch("newer/covmeta." TAG_A), meta.data, meta.len);
	write_file(in_scratch("newer/covcounters." TAG_A ".1.1"), counters.data, counters.len);
	prepare(&answer, in_scratch("newer"));
	assert_int_equal(answer.set.skipped, 0);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.skipped, 2);
}

static void bad_extra_file_is_left_out(void **state)
{
	cleanup_answer struct answer answer;
	cleanup_fd int extra = -1;
	char list[256];

	(void)state;
	copy_data("extra-bad");
	write_bad_counters("extra-bad", 1);
	prepare(&answer, in_scratch("set-2"));
	answer.extra = "live";
	extra = staging_subdir(&answer.staging, "live", &answer.err);
	assert_int_equal(sh("cp %s/extra-bad/* %s/live", scratch, answer.staging.path), 0);
	run(&answer);
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-1"), in_scratch("set-2"));
	expect_profile(&answer, list);
	assert_int_equal(answer.set.skipped, 1);
}

static void crash_is_told_by_its_cause(void **state)
{
	static const char *const packages[] = {"example.com/a", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	cleanup_answer struct answer answer;

	(void)state;
	assert_int_equal(mkdir(in_scratch("crash"), 0700), 0);
	make_meta(&meta, packages, COUNTER_MODE_SET);
	/* the import path is a string that the table does not have */
	meta.data[le64(meta.data + COVMETA_HEADER_SIZE) + COVBLOB_AT_IMPORT_PATH] = 99;
	write_file(in_scratch("crash/covmeta." TAG_A), meta.data, meta.len);
	prepare(&answer, in_scratch("crash"));
	run(&answer);
	assert_int_equal(answer.fd, -1);
	assert_int_equal(answer.err.class, ERROR_INTERNAL);
	assert_non_null(strstr(answer.err.message, "covdata exited with status 2: panic: "));
}

static void clash_is_no_bad_file(void **state)
{
	cleanup_answer struct answer answer;
	char list[256];

	(void)state;
	snprintf(list, sizeof list, "%s,%s", in_scratch("set-1"), in_scratch("atomic"));
	prepare(&answer, list);
	assert_int_equal(coverage_set_check_modes(&answer.set, &answer.err), -1);
	assert_non_null(
	    strstr(answer.err.message,
		   "set (example.com/prog), atomic (example.com/prog); give each mode"));
	run(&answer);
	assert_int_equal(answer.fd, -1);
	assert_int_equal(answer.err.class, ERROR_CONFLICT);
	assert_non_null(strstr(answer.err.message, in_scratch("atomic/covmeta.")));
	assert_int_equal(answer.set.skipped, 0);
}

/* --- files that come and go --------------------------------------------------------------------
 */

static void vanished_counters_are_no_error(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("shrinking");
	assert_int_equal(sh("cd %s/shrinking && f=$(ls | grep -m1 counters) && "
			    "for i in 1 2 3 4 5 6 7 8; do cp $f ${f%%.*.*}.$i.$i; done",
			    scratch),
			 0);
	prepare(&answer, in_scratch("shrinking"));
	assert_int_equal(answer.set.n_counters, 10);
	assert_int_equal(sh("rm %s/shrinking/covcounters.*.[1-8].[1-8]", scratch), 0);
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
	assert_int_equal(answer.set.skipped, 0);
	assert_int_equal(answer.set.n_counters, 2);
}

static void cleared_directory_gives_an_empty_file(void **state)
{
	cleanup_answer struct answer answer;

	(void)state;
	copy_data("cleared");
	prepare(&answer, in_scratch("cleared"));
	assert_int_equal(sh("rm -r %s/cleared", scratch), 0);
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_string_equal(text_of(answer.fd), "");
	assert_int_equal(answer.set.n_files, 0);
	assert_int_equal(answer.set.skipped, 0);
}

/* A file of the set that can't be read any more, for another reason than being gone. */
static void unreadable_by_then_is_left_out(void **state)
{
	cleanup_answer struct answer answer;
	char path[512];

	(void)state;
	copy_data("changing");
	prepare(&answer, in_scratch("changing"));
	snprintf(path, sizeof path, "%s/%s", in_scratch("changing"), answer.set.files[0].name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	run(&answer);
	assert_true(answer.fd >= 0);
	assert_int_equal(answer.set.skipped, 1);
	assert_int_equal(answer.set.n_counters, 1);
}

/* --- the end of patience -----------------------------------------------------------------------
 */

static void passed_deadline_is_told(void **state)
{
	struct deadline passed = {0, -1};
	cleanup_answer struct answer answer;
	struct error err = {0};

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	assert_int_equal(
	    covdata_textfmt(covdata, &answer.set, &answer.staging, NULL, &passed, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	assert_non_null(strstr(err.message, "covdata did not finish"));
	assert_non_null(strstr(err.message, "GOVERAGE_TIMEOUT"));
	run(&answer);
	expect_profile(&answer, in_scratch("set-1"));
}

static void cancelling_is_told(void **state)
{
	cleanup_fd int cancel = eventfd(1, EFD_CLOEXEC);
	struct deadline deadline = deadline_in_ms(60000, cancel);
	cleanup_answer struct answer answer;
	struct error err = {0};

	(void)state;
	prepare(&answer, in_scratch("set-1"));
	assert_int_equal(
	    covdata_textfmt(covdata, &answer.set, &answer.staging, NULL, &deadline, &err), -1);
	assert_int_equal(err.class, ERROR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(profile_is_that_of_bare_covdata),
	    cmocka_unit_test(several_directories_are_joined),
	    cmocka_unit_test(directory_with_an_odd_name_will_do),
	    cmocka_unit_test(made_files_are_as_go_writes_them),
	    cmocka_unit_test(nothing_gives_an_empty_file),
	    cmocka_unit_test(extra_files_are_joined),
	    cmocka_unit_test(named_files_are_left_out),
	    cmocka_unit_test(too_many_bad_files_are_an_error),
	    cmocka_unit_test(unknown_version_takes_its_counters_along),
	    cmocka_unit_test(bad_extra_file_is_left_out),
	    cmocka_unit_test(crash_is_told_by_its_cause),
	    cmocka_unit_test(clash_is_no_bad_file),
	    cmocka_unit_test(vanished_counters_are_no_error),
	    cmocka_unit_test(cleared_directory_gives_an_empty_file),
	    cmocka_unit_test(unreadable_by_then_is_left_out),
	    cmocka_unit_test(passed_deadline_is_told),
	    cmocka_unit_test(cancelling_is_told),
	};

	return cmocka_run_group_tests_name("covdata", tests, start, finish);
}
