/* Starting covdata, wherever it is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "cgi/covdata/covdata_tool.h"

enum { MAX_ARGS = 8 };

/* What go names stays good until its build cache is cleared. */
static int resolve(struct covdata *covdata, const struct deadline *deadline, struct error *err)
{
	if (covdata->resolved && access(covdata->resolved, X_OK) == 0)
		return 0;
	free(covdata->resolved);
	covdata->resolved = go_tool_covdata(covdata->go, deadline, err);
	if (covdata->resolved)
		return 0;
	if (err->class != ERROR_INTERNAL || !covdata->beside)
		return -1;
	log_line("%s; taking %s", err->message, covdata->beside);
	covdata->resolved = strdup(covdata->beside);
	return covdata->resolved ? 0 : error_no_memory(err);
}

/*
 * The program to run, owned by the caller.  The first request of a process holds the lock while go
 * builds covdata; the others wait for that instead of building it too, and its deadline bounds
 * their wait.
 */
static char *program_of(struct covdata *covdata, const struct deadline *deadline, struct error *err)
{
	char *program = NULL;
	int rc = 0;

	if (covdata->program) {
		program = strdup(covdata->program);
	} else {
		pthread_mutex_lock(&covdata->lock);
		rc = resolve(covdata, deadline, err);
		if (rc == 0)
			program = strdup(covdata->resolved);
		pthread_mutex_unlock(&covdata->lock);
	}
	if (rc == 0 && !program)
		error_no_memory(err);
	return program;
}

int covdata_prepare(struct covdata *covdata, const struct deadline *deadline, struct error *err)
{
	cleanup_free char *program = program_of(covdata, deadline, err);

	return program ? 0 : -1;
}

static int run_program(const char *program, bool confined, const char *const *args, int out_fd,
		       struct child_result *result, const struct deadline *deadline,
		       struct error *err)
{
	cleanup_environment struct environment env = {0};
	const char *argv[MAX_ARGS + 2] = {program};
	struct child child = {.argv = argv, .stdout_fd = out_fd, .confined = confined};
	size_t i;

	for (i = 0; args[i] && i < MAX_ARGS; i++)
		argv[i + 1] = args[i];
	covdata_environment(&env);
	if (env.failed)
		return error_no_memory(err);
	child.envp = (const char *const *)env.vars;
	if (child_run(&child, result, deadline, err) == 0)
		return 0;
	if (err->class == ERROR_TIMEOUT)
		error_set(err, ERROR_TIMEOUT,
			  "covdata did not finish in the time for one answer: set GOVERAGE_TIMEOUT "
			  "to more seconds, or join old files with covdata merge");
	return -1;
}

int covdata_run(struct covdata *covdata, const char *const *args, int out_fd,
		struct child_result *result, const struct deadline *deadline, struct error *err)
{
	int tries;

	for (tries = 0;; tries++) {
		cleanup_free char *program = program_of(covdata, deadline, err);

		if (!program)
			return -1;
		if (run_program(program, covdata->confined, args, out_fd, result, deadline, err) ==
		    0)
			return 0;
		/* a build cache that was cleared under our eyes is worth one more look */
		if (tries || !covdata->go || access(program, X_OK) == 0)
			return -1;
		child_result_free(result);
	}
}
