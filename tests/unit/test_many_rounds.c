/* What thousands of requests leave behind in one process: neither descriptors nor memory. */
#include "scratch.h"

#include <malloc.h>
#include <sys/stat.h>

#include "cgi/app_life.h"
#include "cgi/handle.h"
#include "fake_gateway.h"
#include "made_coverage.h"

enum {
	ROUNDS = 5000,
	SETTLED = 200,	   /* rounds after which all is kept that will be */
	SLACK = 128 << 10, /* bytes; what a round left behind would come to more */
};

/* In memory, which every machine can watch. */
static char dir[] = "/dev/shm/goverage-test-XXXXXX", state_dir[sizeof dir + 16];

static int set_up(void **state)
{
	static const char *const packages[] = {"example.org/a", NULL};
	cleanup_buffer struct buffer meta = BUFFER_INIT, counters = BUFFER_INIT;
	char path[128];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(state_dir, sizeof state_dir, "%s.goverage-state", dir);
	make_meta(&meta, packages, COUNTER_MODE_COUNT);
	snprintf(path, sizeof path, "%s/covmeta.%s", dir, TAG_A);
	write_file(path, meta.data, meta.len);
	make_counters(&counters, 3);
	snprintf(path, sizeof path, "%s/covcounters.%s.1.1", dir, TAG_A);
	write_file(path, counters.data, counters.len);
	setenv("GOCOVERDIR", dir, 1);
	setenv("GOVERAGE_ENGINE", "builtin", 1);
	setenv("GOVERAGE_LIVE", "off", 1); /* who runs on this machine is nothing to us */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	remove_tree(state_dir);
	return 0;
}

static void post(struct app *app, const char *path, const char *status)
{
	const char *const variables[][2] = {
	    {"REQUEST_METHOD", "POST"}, {"SCRIPT_NAME", path}, {NULL, NULL}};
	struct fake_gateway fake;
	const char *answer;

	fake_gateway_init(&fake, variables, "", 0);
	handle_request(app, &fake.base);
	answer = fake_gateway_answer(&fake);
	if (strncmp(answer, status, strlen(status)) != 0)
		fail_msg("%s: %s", path, answer);
	buffer_free(&fake.sent);
}

static int open_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void clear_and_profile(void **state)
{
	cleanup_fd int null = open("/dev/null", O_WRONLY | O_CLOEXEC), log = dup(2);
	struct mallinfo2 before = {0}, after;
	int descriptors_before = 0, descriptors, i;
	struct error err = {0};
	struct app app;

	(void)state;
	assert_int_equal(app_init(&app, APP_FOR_MANY, &err), 0);
	dup2(null, 2); /* it gets a line for each request */
	for (i = 0; i < ROUNDS; i++) {
		if (i == SETTLED) {
			descriptors_before = open_descriptors();
			before = mallinfo2();
		}
		post(&app, "/v1/cover/clear", "Status: 200");
		post(&app, "/v1/cover/profile", "Status: 200");
	}
	after = mallinfo2();
	descriptors = open_descriptors();
	dup2(log, 2);
	assert_int_equal(descriptors, descriptors_before);
	assert_in_range(after.uordblks, 0, before.uordblks + SLACK);
	app_free(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(clear_and_profile, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
