#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/covdata/covdata_tool.h"

const char *search_path(void)
{
	const char *path = getenv("PATH");

	return path && *path ? path : "/usr/local/bin:/usr/bin:/bin";
}

/* 0, or -1 with errno. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return -1;
	}
	return access(path, X_OK);
}

/* DIR/NAME if that is an executable file; owned by the caller. */
static char *executable_in(const char *dir, size_t dir_len, const char *name)
{
	char *path;

	if (asprintf(&path, "%.*s/%s", (int)dir_len, dir, name) < 0)
		return NULL;
	if (check_executable(path) == 0)
		return path;
	free(path);
	return NULL;
}

/* Relative elements of PATH are passed over: who knows which directory a web server starts us
 * in. */
static char *find_on_path(const char *name)
{
	const char *element = search_path();

	while (*element) {
		size_t len = strcspn(element, ":");
		char *found = *element == '/' ? executable_in(element, len, name) : NULL;

		if (found)
			return found;
		element += len;
		element += *element == ':';
	}
	return NULL;
}

/* The directory that this program was started from, without a slash at its end: the root directory
 * is "".  NULL when it can't be told. */
static const char *own_directory(char *out, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", out, room - 1);
	char *slash;

	out[n > 0 ? n : 0] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return out;
}

static int find_as_set(struct covdata *covdata, const char *value, struct error *err)
{
	if (*value == '/') {
		if (check_executable(value) < 0)
			return error_set(err, ERROR_INTERNAL,
					 "covdata not found: GOVERAGE_COVDATA is \"%.400s\", which "
					 "can't be run (%s): set it to the covdata program",
					 value, strerror(errno));
		covdata->program = strdup(value);
		return covdata->program ? 0 : error_no_memory(err);
	}
	if (!strchr(value, '/'))
		covdata->program = find_on_path(value);
	if (covdata->program)
		return 0;
	return error_set(err, ERROR_INTERNAL,
			 "covdata not found: GOVERAGE_COVDATA is \"%.400s\", which is neither the "
			 "absolute path of a program nor the name of one on PATH (%.300s)",
			 value, search_path());
}

static int look_for_it(struct covdata *covdata, struct error *err)
{
	char room[PATH_MAX];
	const char *own, *place;

	covdata->program = find_on_path("covdata");
	if (covdata->program)
		return 0;
	own = own_directory(room, sizeof room);
	place = own && *own ? own : "/";
	covdata->go = find_on_path("go");
	covdata->beside = own ? executable_in(own, strlen(own), "covdata") : NULL;
	if (covdata->go)
		return 0;
	covdata->program = steal_ptr(covdata->beside);
	if (covdata->program)
		return 0;
	return error_set(err, ERROR_INTERNAL,
			 "covdata not found: neither covdata nor go is on PATH (%.300s), and no "
			 "covdata lies beside this program (in %.300s): install Go 1.20 or later, "
			 "or set GOVERAGE_COVDATA to the covdata program",
			 search_path(), place);
}

static int describe(struct covdata *covdata, struct error *err)
{
	int n = covdata->program ? asprintf(&covdata->description, "%s", covdata->program)
				 : asprintf(&covdata->description, "%s tool covdata", covdata->go);

	if (n >= 0)
		return 0;
	covdata->description = NULL;
	return error_no_memory(err);
}

struct covdata *covdata_find(const struct settings *settings, struct error *err)
{
	struct covdata *covdata = calloc(1, sizeof *covdata);
	int rc;

	if (!covdata) {
		error_no_memory(err);
		return NULL;
	}
	covdata->confined = settings->sandbox != SANDBOX_SETTING_OFF;
	pthread_mutex_init(&covdata->lock, NULL);
	rc = settings->covdata ? find_as_set(covdata, settings->covdata, err)
			       : look_for_it(covdata, err);
	if (rc < 0 || describe(covdata, err) < 0) {
		covdata_free(covdata);
		return NULL;
	}
	return covdata;
}

const char *covdata_description(const struct covdata *covdata)
{
	return covdata->description;
}

bool covdata_needs_go(const struct covdata *covdata)
{
	return !covdata->program;
}

void covdata_free(struct covdata *covdata)
{
	if (!covdata)
		return;
	pthread_mutex_destroy(&covdata->lock);
	free(covdata->description);
	free(covdata->program);
	free(covdata->go);
	free(covdata->beside);
	free(covdata->resolved);
	free(covdata);
}
