/*
 * Where covdata is looked for, and what it is run with.  The programs here are scripts that say how
 * they were called; a real covdata is in test_covdata.c, and a real go at the end of this file.
 */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgi/covdata_tool.h"
#include "cgi/io.h"
#include "scratch.h"

#define DEFAULT_PATH "/usr/bin:/bin"

/* SCRATCH/name: an executable script of these lines. */
static void write_script(const char *name, const char *lines)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	buffer_printf(&text, "#!/bin/sh\n%s\n", lines);
	write_file(in_scratch(name), text.data, text.len);
	assert_int_equal(chmod(in_scratch(name), 0755), 0);
}

static void make_dir(const char *name)
{
	assert_int_equal(mkdir(in_scratch(name), 0700), 0);
}

/* PATH=SCRATCH/first[:SCRATCH/second]:/usr/bin:/bin */
static void set_path(const char *first, const char *second)
{
	char path[512];

	snprintf(path, sizeof path, "%s%s%s:" DEFAULT_PATH, in_scratch(first), second ? ":" : "",
		 second ? in_scratch(second) : "");
	assert_int_equal(setenv("PATH", path, 1), 0);
}

static struct covdata *find(const char *setting, struct error *err)
{
	struct settings settings = {.covdata = setting};

	memset(err, 0, sizeof *err);
	return covdata_find(&settings, err);
}

static void expect_found(const char *setting, const char *description)
{
	struct error err;
	struct covdata *covdata = find(setting, &err);

	if (!covdata)
		fail_msg("%s", err.message);
	assert_string_equal(covdata_description(covdata), description);
	covdata_free(covdata);
}

static void expect_not_found(const char *setting, const char *part)
{
	struct error err;

	assert_null(find(setting, &err));
	assert_int_equal(err.class, ERROR_INTERNAL);
	assert_memory_equal(err.message, "covdata not found: ", 19);
	if (!strstr(err.message, part))
		fail_msg("no \"%s\" in: %s", part, err.message);
}

/* What `covdata textfmt` prints; its status must be 0. */
static char *output_of(struct covdata *covdata)
{
	const char *const args[] = {"textfmt", NULL};
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_with(child_result_free) struct child_result result = {0};
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	struct error err = {0};
	static char text[8192];
	ssize_t n;

	if (covdata_run(covdata, args, out, &result, &deadline, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(result.wait_status, 0);
	n = io_pread_full(out, text, sizeof text - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static int prepare_fails(struct covdata *covdata, struct error *err)
{
	struct deadline deadline = deadline_in_ms(60000, -1);

	return covdata_prepare(covdata, &deadline, err);
}

/* --- looking -----------------------------------------------------------------------------------
 */

static void setting_comes_first(void **state)
{
	(void)state;
	make_dir("set");
	write_script("set/mine", "echo mine");
	write_script("set/covdata", "echo path");
	set_path("set", NULL);
	expect_found(in_scratch("set/mine"), in_scratch("set/mine"));
	expect_found("mine", in_scratch("set/mine"));
	expect_found(NULL, in_scratch("set/covdata"));
}

static void bad_setting_is_named(void **state)
{
	(void)state;
	make_dir("unset");
	write_file(in_scratch("unset/plain"), "x", 1);
	set_path("unset", NULL);
	expect_not_found(
	    "/nonexistent/covdata",
	    "GOVERAGE_COVDATA is \"/nonexistent/covdata\", which can't be run (No such "
	    "file or directory)");
	expect_not_found(in_scratch("unset/plain"), "can't be run (Permission denied)");
	expect_not_found(in_scratch("unset"), "can't be run (Permission denied)");
	expect_not_found("no-such-covdata",
			 "GOVERAGE_COVDATA is \"no-such-covdata\", which is neither");
	expect_not_found("plain", "which is neither");
	expect_not_found("unset/plain", "which is neither");
	expect_not_found("", "which is neither");
}

static void path_is_searched_in_order(void **state)
{
	char path[512];

	(void)state;
	make_dir("p1");
	make_dir("p2");
	make_dir("p1/covdata"); /* a directory is no program */
	write_script("p2/covdata", "echo 2");
	write_script("p2/go", "echo go");
	write_script("p1/go", "echo go");
	set_path("p1", "p2");
	expect_found(NULL, in_scratch("p2/covdata"));
	assert_int_equal(unlink(in_scratch("p2/covdata")), 0);
	snprintf(path, sizeof path, "%s tool covdata", in_scratch("p1/go"));
	expect_found(NULL, path);
	/* elements that depend on the working directory are passed over */
	assert_int_equal(chdir(in_scratch("p2")), 0);
	assert_int_equal(setenv("PATH", ":.::../p2:", 1), 0);
	expect_not_found(NULL, "neither covdata nor go is on PATH (:.::../p2:)");
	assert_int_equal(chdir("/"), 0);
}

static void missing_path_has_a_default(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("PATH"), 0);
	assert_string_equal(search_path(), "/usr/local/bin:/usr/bin:/bin");
	assert_int_equal(setenv("PATH", "", 1), 0);
	assert_string_equal(search_path(), "/usr/local/bin:/usr/bin:/bin");
	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	expect_not_found(NULL, "install Go 1.20 or later, or set GOVERAGE_COVDATA");
}

/* --- through go --------------------------------------------------------------------------------
 */

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

/* --- beside this program: in a copy of it, with programs of its choice next to it ---------------
 */

/* What a copy of this program in SCRATCH/dir prints, with this PATH. */
static const char *ask_copy(const char *dir, const char *path)
{
	static char text[2048];
	char command[1024];
	FILE *pipe;
	size_t n;

	set_path("unset", NULL); /* for cp */
	snprintf(command, sizeof command,
		 "cp \"$THIS_PROGRAM\" %1$s/program && PATH=%2$s %1$s/program beside 2>&1",
		 in_scratch(dir), path);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	n = fread(text, 1, sizeof text - 1, pipe);
	text[n] = '\0';
	assert_int_equal(pclose(pipe), 0);
	return text;
}

/* Looks for covdata with a PATH that leads nowhere, or to a go that fails; the main of the copy. */
static int be_the_copy(void)
{
	struct deadline deadline = deadline_in_ms(60000, -1);
	const char *const args[] = {"textfmt", NULL};
	struct child_result result;
	struct settings settings = {0};
	struct error err = {0};
	struct covdata *covdata;

	covdata = covdata_find(&settings, &err);
	if (!covdata) {
		puts(err.message);
		return 0;
	}
	puts(covdata_description(covdata));
	fflush(stdout);
	if (covdata_run(covdata, args, 1, &result, &deadline, &err) < 0)
		puts(err.message);
	child_result_free(&result);
	covdata_free(covdata);
	return 0;
}

static void covdata_beside_this_program_is_last(void **state)
{
	char expected[256];

	(void)state;
	make_dir("beside");
	snprintf(expected, sizeof expected, "lies beside this program (in %s)",
		 in_scratch("beside"));
	assert_non_null(strstr(ask_copy("beside", "/nonexistent"), expected));
	write_script("beside/covdata", "echo from beside");
	snprintf(expected, sizeof expected, "%s\nfrom beside\n", in_scratch("beside/covdata"));
	assert_string_equal(ask_copy("beside", "/nonexistent"), expected);
}

static void covdata_beside_stands_in_for_a_go_that_has_none(void **state)
{
	char expected[256];
	const char *text;

	(void)state;
	make_dir("both");
	make_dir("both/bin");
	write_script("both/covdata", "echo from beside");
	write_script("both/bin/go", "echo 'go: no such tool \"covdata\"' >&2; exit 2");
	text = ask_copy("both", in_scratch("both/bin"));
	snprintf(expected, sizeof expected, "%s tool covdata\n", in_scratch("both/bin/go"));
	assert_memory_equal(text, expected, strlen(expected));
	snprintf(expected, sizeof expected, "; taking %s\nfrom beside\n",
		 in_scratch("both/covdata"));
	assert_non_null(strstr(text, expected));
}

/* --- environments ------------------------------------------------------------------------------
 */

static const char *value_of(const struct environment *env, const char *name)
{
	size_t i, n = strlen(name);

	for (i = 0; i < env->n; i++)
		if (strncmp(env->vars[i], name, n) == 0 && env->vars[i][n] == '=')
			return env->vars[i] + n + 1;
	return NULL;
}

static void requests_stay_out_of_the_environment(void **state)
{
	struct error err;
	struct covdata *covdata;

	(void)state;
	make_dir("env");
	write_script("env/covdata", "env | cut -d= -f1 | sort | tr '\\n' ' '");
	set_path("env", NULL);
	setenv("HTTP_PROXY", "http://127.0.0.1", 1);
	setenv("QUERY_STRING", "x", 1);
	setenv("LD_PRELOAD_X", "x", 1);
	setenv("GOCOVERDIR", scratch, 1);
	setenv("HOME", scratch, 1);
	setenv("TMPDIR", scratch, 1);
	covdata = find(NULL, &err);
	/* PWD and OLDPWD are the shell's own */
	assert_string_equal(output_of(covdata), "HOME PATH PWD TMPDIR ");
	covdata_free(covdata);
}

static void go_gets_what_it_needs(void **state)
{
	cleanup_environment struct environment env = {0};
	struct error err = {0};

	(void)state;
	set_path("env", NULL);
	setenv("HOME", scratch, 1);
	setenv("GOROOT", "/opt/go", 1);
	setenv("GOFLAGS", "-mod=vendor", 1);
	unsetenv("GOCACHE");
	unsetenv("XDG_CACHE_HOME");
	assert_int_equal(go_environment(&env, &err), 0);
	assert_string_equal(value_of(&env, "HOME"), scratch);
	assert_null(value_of(&env, "GOCACHE"));
	assert_string_equal(value_of(&env, "GOROOT"), "/opt/go");
	assert_string_equal(value_of(&env, "GOFLAGS"), "");
	assert_string_equal(value_of(&env, "GOTOOLCHAIN"), "local");
	assert_string_equal(value_of(&env, "GOPROXY"), "off");
	assert_string_equal(value_of(&env, "GOENV"), "off");
	assert_string_equal(value_of(&env, "GOWORK"), "off");
	assert_string_equal(value_of(&env, "CGO_ENABLED"), "0");
	assert_string_equal(value_of(&env, "PATH"), search_path());
	unsetenv("GOROOT");
	unsetenv("GOFLAGS");
}

static void cache_of_the_operator_is_used(void **state)
{
	cleanup_environment struct environment one = {0}, two = {0};
	struct error err = {0};

	(void)state;
	unsetenv("HOME");
	setenv("TMPDIR", in_scratch("env"), 1);
	setenv("GOCACHE", in_scratch("not/there/yet"), 1);
	assert_int_equal(go_environment(&one, &err), 0);
	assert_string_equal(value_of(&one, "GOCACHE"), in_scratch("not/there/yet"));
	unsetenv("GOCACHE");
	setenv("XDG_CACHE_HOME", in_scratch("xdg"), 1);
	assert_int_equal(go_environment(&two, &err), 0);
	assert_string_equal(value_of(&two, "XDG_CACHE_HOME"), in_scratch("xdg"));
	assert_null(value_of(&two, "GOCACHE"));
	unsetenv("XDG_CACHE_HOME");
	setenv("TMPDIR", scratch, 1);
}

static void own_cache_stands_in(void **state)
{
	static const char *const homes[] = {NULL, "", "relative", "/nonexistent", "/etc/passwd"};
	static const char *const caches[] = {NULL, "off", "relative/x", "/etc/passwd/x"};
	char expected[128];
	struct stat st;
	size_t i, k;

	(void)state;
	setenv("TMPDIR", scratch, 1);
	snprintf(expected, sizeof expected, "%s/goverage-fcgi-%lu-gocache", scratch,
		 (unsigned long)geteuid());
	for (i = 0; i < sizeof homes / sizeof *homes; i++)
		for (k = 0; k < sizeof caches / sizeof *caches; k++) {
			cleanup_environment struct environment env = {0};
			struct error err = {0};

			homes[i] ? setenv("HOME", homes[i], 1) : unsetenv("HOME");
			caches[k] ? setenv("GOCACHE", caches[k], 1) : unsetenv("GOCACHE");
			assert_int_equal(go_environment(&env, &err), 0);
			assert_string_equal(value_of(&env, "GOCACHE"), expected);
			assert_string_equal(value_of(&env, "HOME"), expected);
		}
	assert_int_equal(lstat(expected, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	unsetenv("GOCACHE");
}

static void expect_refused(const char *why)
{
	cleanup_environment struct environment env = {0};
	struct error err = {0};

	assert_int_equal(go_environment(&env, &err), -1);
	assert_int_equal(err.class, ERROR_INTERNAL);
	assert_non_null(strstr(err.message, "GOCACHE"));
	assert_non_null(strstr(err.message, why));
}

static void strange_cache_is_refused(void **state)
{
	char path[512], base[256];

	(void)state;
	make_dir("shared");
	snprintf(base, sizeof base, "%s", in_scratch("shared"));
	snprintf(path, sizeof path, "%s/goverage-fcgi-%lu-gocache", base, (unsigned long)geteuid());
	setenv("TMPDIR", base, 1);
	unsetenv("HOME");
	assert_int_equal(symlink("/tmp", path), 0);
	expect_refused("is not a directory of uid");
	assert_int_equal(unlink(path), 0);
	write_file(path, "", 0);
	expect_refused("is not a directory of uid");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0770), 0);
	expect_refused("is not a directory of uid");
	setenv("TMPDIR", "/nonexistent", 1);
	expect_refused("can't make /nonexistent/goverage-fcgi-");
	setenv("TMPDIR", scratch, 1);
}

/* --- a real go that builds covdata first -------------------------------------------------------
 */

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(setting_comes_first),
	    cmocka_unit_test(bad_setting_is_named),
	    cmocka_unit_test(path_is_searched_in_order),
	    cmocka_unit_test(missing_path_has_a_default),
	    cmocka_unit_test(go_is_asked_once),
	    cmocka_unit_test(vanished_tool_is_asked_for_again),
	    cmocka_unit_test(go_without_covdata_is_told),
	    cmocka_unit_test(slow_go_is_told),
	    cmocka_unit_test(covdata_beside_this_program_is_last),
	    cmocka_unit_test(covdata_beside_stands_in_for_a_go_that_has_none),
	    cmocka_unit_test(requests_stay_out_of_the_environment),
	    cmocka_unit_test(go_gets_what_it_needs),
	    cmocka_unit_test(cache_of_the_operator_is_used),
	    cmocka_unit_test(own_cache_stands_in),
	    cmocka_unit_test(strange_cache_is_refused),
	    cmocka_unit_test(go_builds_covdata_at_its_first_use),
	};
	char own_path[PATH_MAX];

	if (argc == 2 && strcmp(argv[1], "beside") == 0)
		return be_the_copy();
	if (!realpath(argv[0], own_path) || setenv("THIS_PROGRAM", own_path, 1) < 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests_name("covdata_find", tests, make_scratch, remove_scratch);
}
