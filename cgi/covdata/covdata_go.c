/* Where the go command keeps its covdata. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/covdata/covdata_tool.h"
#include "cgi/covdata/covdata_words.h"

static int complain(const char *go, const struct child_result *result, struct error *err)
{
	char words[COVDATA_LAST_WORDS];

	covdata_last_words(buffer_str(&result->said), result->said.len, words, sizeof words);
	return error_set(err, ERROR_INTERNAL,
			 "covdata not found: %.300s tool covdata does not work (%.400s): use Go "
			 "1.20 or later, or set GOVERAGE_COVDATA to a covdata program",
			 go, words);
}

/* The last line of what go printed, which is the command that it would run: a path. */
static char *read_answer(int fd, struct error *err)
{
	char text[PATH_MAX + 256];
	ssize_t n = io_pread_full(fd, text, sizeof text - 1, 0);
	char *path;

	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n > 0 ? n : 0] = '\0';
	path = strrchr(text, '\n');
	path = path ? path + 1 : text;
	if (*path != '/' || access(path, X_OK) < 0) {
		error_set(err, ERROR_INTERNAL,
			  "covdata not found: go tool -n covdata names \"%.300s\", which can't be "
			  "run: set GOVERAGE_COVDATA to a covdata program",
			  path);
		return NULL;
	}
	path = strdup(path);
	if (!path)
		error_no_memory(err);
	return path;
}

/* -C: a go.mod in the directory that a web server started us in would have a say, too. */
static int ask(const char *go, int out, struct child_result *result,
	       const struct deadline *deadline, struct error *err)
{
	const char *const argv[] = {go, "tool", "-C", "/", "-n", "covdata", NULL};
	cleanup_environment struct environment env = {0};
	struct child child = {.argv = argv, .stdout_fd = out};

	if (go_environment(&env, err) < 0)
		return -1;
	child.envp = (const char *const *)env.vars;
	if (child_run(&child, result, deadline, err) == 0)
		return 0;
	if (err->class == ERROR_TIMEOUT)
		error_set(err, ERROR_TIMEOUT,
			  "%s tool covdata was not ready in time (since Go 1.25 its first use "
			  "builds it): try again, or set GOVERAGE_TIMEOUT to more seconds",
			  go);
	return -1;
}

char *go_tool_covdata(const char *go, const struct deadline *deadline, struct error *err)
{
	cleanup_with(child_result_free) struct child_result result = {0};
	cleanup_fd int out = memfd_create("go tool covdata", MFD_CLOEXEC);
	char *path = NULL;

	if (out < 0) {
		error_errno(err, ERROR_INTERNAL, errno, "can't make a memory file");
		return NULL;
	}
	if (ask(go, out, &result, deadline, err) == 0) {
		if (result.wait_status == 0)
			path = read_answer(out, err);
		else
			complain(go, &result, err);
	}
	return path;
}
