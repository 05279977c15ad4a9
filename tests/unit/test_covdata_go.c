/* The covdata that go has: asking for it, and a real go that builds it first. */
#include "tool_fixture.h"

#include <pthread.h>

static int prepare_fails(struct covdata *covdata, struct error *err)
{
	struct deadline deadline = deadline_in_ms(60000, -1);

	return covdata_prepare(covdata, &deadline, err);
}

/* A go whose covdata is SCRATCH/dir/tool, and which keeps a list of its calls. */
static void write_go(const char *dir)
{
	char lines[1024], name[64];

	snprintf(lines, sizeof lines,
		 "echo \"$@\" >>%1$s/%2$s/calls\necho 'warning: x' >&2\necho '# a line'\n"
		 "echo %1$s/%2$s/tool",
		 scratch, dir);
	snprintf(name, sizeof name, "%s/go", dir);
	write_script(name, lines);
}

static void go_is_asked_once(void **state)
{
	struct error err;
	struct covdata *covdata;
	char calls[64] = "";
	cleanup_fd int fd = -1;

	(void)state;
	make_dir("once");
	write_go("once");
	write_script("once/tool", "echo \"$0 $1\"");
	set_path("once", NULL);
	covdata = find(NULL, &err);
	assert_non_null(covdata);
	assert_int_equal(prepare_fails(covdata, &err), 0);
	assert_non_null(strstr(output_of(covdata), "/once/tool textfmt\n"));
	assert_non_null(strstr(output_of(covdata), "/once/tool textfmt\n"));
	covdata_free(covdata);
	fd = open(in_scratch("once/calls"), O_RDONLY | O_CLOEXEC);
	assert_true(io_read_full(fd, calls, sizeof calls - 1) > 0);
	assert_string_equal(calls, "tool -C / -n covdata\n");
}

static void vanished_tool_is_asked_for_again(void **state)
{
	struct error err;
	struct covdata *covdata;

	(void)state;
	make_dir("again");
	write_go("again");
	write_script("again/tool", "echo old");
	set_path("again", NULL);
	covdata = find(NULL, &err);
	assert_string_equal(output_of(covdata), "old\n");
	/* the build cache was cleared: the next question builds it anew */
	assert_int_equal(unlink(in_scratch("again/tool")), 0);
	write_script("again/tool.new", "echo new");
	write_script("again/go", "d=$(dirname $0); cp $d/tool.new $d/tool; echo $d/tool");
	assert_string_equal(output_of(covdata), "new\n");
	covdata_free(covdata);
}

static void go_without_covdata_is_told(void **state)
{
	static const char *const scripts[] = {
	    "echo 'go: no such tool \"covdata\"' >&2; exit 2",
	    "echo 'go: no such tool \"covdata\"'",
	    "exit 0",
	    "echo covdata",
	    "echo /nonexistent/covdata",
	};
	struct error err;
	size_t i;

	(void)state;
	make_dir("old");
	set_path("old", NULL);
	for (i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct covdata *covdata;

		write_script("old/go", scripts[i]);
		covdata = find(NULL, &err);
		assert_non_null(covdata);
		assert_int_equal(prepare_fails(covdata, &err), -1);
		assert_int_equal(err.class, ERROR_INTERNAL);
		assert_memory_equal(err.message, "covdata not found: ", 19);
		assert_non_null(strstr(err.message, "set GOVERAGE_COVDATA"));
		assert_true(i > 0 || strstr(err.message, "go: no such tool \"covdata\""));
		covdata_free(covdata);
	}
}

static void slow_go_is_told(void **state)
{
	struct deadline deadline = deadline_in_ms(300, -1);
	struct error err;
	struct covdata *covdata;

	(void)state;
	make_dir("slow");
	write_script("slow/go", "sleep 1000");
	set_path("slow", NULL);
	covdata = find(NULL, &err);
	assert_int_equal(covdata_prepare(covdata, &deadline, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	assert_non_null(strstr(err.message, "tool covdata was not ready in time"));
	covdata_free(covdata);
}

static int release_on_path(const char *release)
{
	const char *root = getenv("abs_top_srcdir");
	char command[1024], go[512] = "", path[600], *slash;
	FILE *pipe;

	if (!root)
		root = getenv("srcdir");
	setenv("PATH", DEFAULT_PATH, 1);
	unsetenv("TMPDIR");
	snprintf(command, sizeof command, "'%s/scripts/go-toolchain' %s", root ? root : ".",
		 release);
	pipe = popen(command, "re");
	if (!pipe || !fgets(go, sizeof go, pipe))
		go[0] = '\0';
	if (!pipe || pclose(pipe) != 0 || !(slash = strrchr(go, '/')))
		return -1;
	*slash = '\0';
	snprintf(path, sizeof path, "%s:" DEFAULT_PATH, go);
	setenv("PATH", path, 1);
	return 0;
}

/* Without HOME and GOCACHE, as web servers start programs; several threads ask at once. */
static void *prepare_in_thread(void *covdata)
{
	struct deadline deadline = deadline_in_ms(300000, -1);
	struct error err = {0};

	if (covdata_prepare(covdata, &deadline, &err) == 0)
		return NULL;
	fprintf(stderr, "%s\n", err.message);
	return covdata;
}

static void go_builds_covdata_at_its_first_use(void **state)
{
	struct deadline soon = deadline_in_ms(1, -1);
	struct error err;
	struct covdata *covdata;
	pthread_t threads[4];
	size_t i;

	(void)state;
	assert_int_equal(release_on_path("1.27"), 0);
	unsetenv("HOME");
	unsetenv("GOCACHE");
	make_dir("cold");
	setenv("TMPDIR", in_scratch("cold"), 1);
	covdata = find(NULL, &err);
	assert_non_null(covdata);
	assert_non_null(strstr(covdata_description(covdata), "/go tool covdata"));
	assert_int_equal(covdata_prepare(covdata, &soon, &err), -1);
	assert_int_equal(err.class, ERROR_TIMEOUT);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, prepare_in_thread, covdata), 0);
	for (i = 0; i < 4; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_non_null(strstr(covdata->resolved, "-gocache/"));
	assert_int_equal(access(covdata->resolved, X_OK), 0);
	covdata_free(covdata);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(go_is_asked_once),
	    cmocka_unit_test(vanished_tool_is_asked_for_again),
	    cmocka_unit_test(go_without_covdata_is_told),
	    cmocka_unit_test(slow_go_is_told),
	    cmocka_unit_test(go_builds_covdata_at_its_first_use),
	};

	return cmocka_run_group_tests_name("covdata_go", tests, make_scratch, remove_scratch);
}
