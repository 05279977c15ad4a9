/* The environments of covdata and of go. */
#include "tool_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_stay_out_of_the_environment),
	    cmocka_unit_test(go_gets_what_it_needs),
	    cmocka_unit_test(cache_of_the_operator_is_used),
	    cmocka_unit_test(own_cache_stands_in),
	    cmocka_unit_test(strange_cache_is_refused),
	};

	return cmocka_run_group_tests_name("covdata_environment", tests, make_scratch,
					   remove_scratch);
}
