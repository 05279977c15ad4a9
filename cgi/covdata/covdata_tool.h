/* Private to cgi/covdata*.c: the program behind struct covdata, and its environment. */
#ifndef GOVERAGE_COVDATA_COVDATA_TOOL_H
#define GOVERAGE_COVDATA_COVDATA_TOOL_H

#include <pthread.h>
#include <stdbool.h>

#include "cgi/base/buffer.h"
#include "cgi/covdata/child.h"
#include "cgi/covdata/covdata.h"

struct covdata {
	char *description; /* owned, as all of them */
	char *program;	   /* covdata itself; NULL where go knows where it is */
	char *go;	   /* the go command, or NULL */
	char *beside;  /* with go: a covdata beside this program, for a go that has none; or NULL */
	bool confined; /* it is run without a right to change files */
	pthread_mutex_t lock; /* guards resolved; held while go builds covdata */
	char *resolved;	      /* with go: the covdata program that it named; NULL = not asked yet */
};

/*
 * The environment of a child, built from nothing: what the web server has put into ours about a
 * request stays out of it.
 */
struct environment {
	char *vars[16]; /* owned; NULL behind the last */
	size_t n;
	bool failed; /* out of memory */
};

void environment_set(struct environment *env, const char *name, const char *value);

/* As in our own environment, where it has one. */
void environment_pass(struct environment *env, const char *name);

void environment_free(struct environment *env);

#define cleanup_environment cleanup_with(environment_free)

/* "/usr/local/bin:/usr/bin:/bin" where it is unset or empty. */
const char *search_path(void);

/* PATH, HOME and TMPDIR: all that covdata can have a use for. */
void covdata_environment(struct environment *env);

/*
 * What the go command needs on top of it to find or build covdata without a network and without the
 * operator's settings: a build cache above all, in our own private directory where neither GOCACHE
 * nor XDG_CACHE_HOME nor HOME leads to one that can be written.
 */
must_check int go_environment(struct environment *env, struct error *err);

/*
 * Ask `go` for its covdata: the absolute path of the program, owned by the caller.  Since Go 1.25
 * that builds it first, unless it lies in the build cache (some 10 s).
 */
must_check char *go_tool_covdata(const char *go, const struct deadline *deadline,
				 struct error *err);

/*
 * Run covdata with `args` (NULL at the end, without a name in front) and its stdout on out_fd.  As
 * child_run(): 0 says nothing about the status.
 */
must_check int covdata_run(struct covdata *covdata, const char *const *args, int out_fd,
			   struct child_result *result, const struct deadline *deadline,
			   struct error *err);

#endif
