/* Settings: defaults, and the sentence for every bad value. */
#include "unit.h"

#include <stdlib.h>

#include "cgi/base/settings.h"

static int clear(void **state)
{
	(void)state;
	unsetenv("GOCOVERDIR");
	unsetenv("GOVERAGE_COVDATA");
	unsetenv("GOVERAGE_LIVE");
	unsetenv("GOVERAGE_SANDBOX");
	unsetenv("GOVERAGE_STATE");
	unsetenv("GOVERAGE_TIMEOUT");
	unsetenv("GOVERAGE_MAX_BODY");
	unsetenv("GOVERAGE_WORKERS");
	return 0;
}

static void defaults(void **state)
{
	struct settings s;
	struct error err = {0};

	(void)state;
	assert_int_equal(settings_read(&s, &err), 0);
	assert_null(s.gocoverdir);
	assert_null(s.covdata);
	assert_null(s.state);
	assert_int_equal(s.live, LIVE_SETTING_AUTO);
	assert_int_equal(s.sandbox, SANDBOX_SETTING_AUTO);
	assert_int_equal(s.timeout_s, 30);
	assert_int_equal(s.max_body, 1048576);
	assert_int_equal(s.workers, 0);
	setenv("GOCOVERDIR", "", 1);
	setenv("GOVERAGE_TIMEOUT", "", 1);
	assert_int_equal(settings_read(&s, &err), 0);
	assert_null(s.gocoverdir);
	assert_int_equal(s.timeout_s, 30);
}

static void good_values(void **state)
{
	struct settings s;
	struct error err = {0};

	(void)state;
	setenv("GOCOVERDIR", "/a,/b", 1);
	setenv("GOVERAGE_COVDATA", "/opt/covdata", 1);
	setenv("GOVERAGE_LIVE", "required", 1);
	setenv("GOVERAGE_SANDBOX", "on", 1);
	setenv("GOVERAGE_STATE", "/var/lib/goverage", 1);
	setenv("GOVERAGE_TIMEOUT", "5", 1);
	setenv("GOVERAGE_MAX_BODY", "0", 1);
	setenv("GOVERAGE_WORKERS", "256", 1);
	assert_int_equal(settings_read(&s, &err), 0);
	assert_string_equal(s.gocoverdir, "/a,/b");
	assert_string_equal(s.covdata, "/opt/covdata");
	assert_string_equal(s.state, "/var/lib/goverage");
	assert_int_equal(s.live, LIVE_SETTING_REQUIRED);
	assert_int_equal(s.timeout_s, 5);
	assert_int_equal(s.max_body, 0);
	assert_int_equal(s.workers, 256);
}

static void bad_values_are_named(void **state)
{
	static const char *const cases[][3] = {
	    {"GOVERAGE_LIVE", "yes", "GOVERAGE_LIVE is \"yes\": it must be auto, off or required"},
	    {"GOVERAGE_STATE", "state",
	     "GOVERAGE_STATE is \"state\": it must be a path that begins with / and has no comma"},
	    {"GOVERAGE_STATE", "/a,b",
	     "GOVERAGE_STATE is \"/a,b\": it must be a path that begins with / and has no comma"},
	    {"GOVERAGE_TIMEOUT", "0",
	     "GOVERAGE_TIMEOUT is \"0\": it must be a whole number from 1 to 3600"},
	    {"GOVERAGE_TIMEOUT", "30s",
	     "GOVERAGE_TIMEOUT is \"30s\": it must be a whole number from 1 to 3600"},
	    {"GOVERAGE_MAX_BODY", "-1",
	     "GOVERAGE_MAX_BODY is \"-1\": it must be a whole number from 0 to 1073741824"},
	    {"GOVERAGE_WORKERS", "99999999999999999999",
	     "GOVERAGE_WORKERS is \"99999999999999999999\": it must be a whole number from 1 to "
	     "256"},
	    {"GOVERAGE_WORKERS", " 2",
	     "GOVERAGE_WORKERS is \" 2\": it must be a whole number from 1 to 256"},
	};
	struct settings s;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = {0};

		clear(state);
		setenv(cases[i][0], cases[i][1], 1);
		assert_int_equal(settings_read(&s, &err), -1);
		assert_string_equal(err.message, cases[i][2]);
	}
}

static void each_setting_is_described(void **state)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	(void)state;
	settings_describe(&text);
	assert_non_null(strstr(buffer_str(&text), "GOCOVERDIR"));
	assert_non_null(strstr(buffer_str(&text), "GOVERAGE_WORKERS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(defaults, clear),
	    cmocka_unit_test_setup(good_values, clear),
	    cmocka_unit_test_setup(bad_values_are_named, clear),
	    cmocka_unit_test_setup(each_setting_is_described, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
