/* Where covdata is looked for. */
#include "tool_fixture.h"

#include <limits.h>

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(setting_comes_first),
	    cmocka_unit_test(bad_setting_is_named),
	    cmocka_unit_test(path_is_searched_in_order),
	    cmocka_unit_test(missing_path_has_a_default),
	    cmocka_unit_test(covdata_beside_this_program_is_last),
	    cmocka_unit_test(covdata_beside_stands_in_for_a_go_that_has_none),
	};
	char own_path[PATH_MAX];

	if (argc == 2 && strcmp(argv[1], "beside") == 0)
		return be_the_copy();
	if (!realpath(argv[0], own_path) || setenv("THIS_PROGRAM", own_path, 1) < 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests_name("covdata_find", tests, make_scratch, remove_scratch);
}
