#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/covdata/covdata_tool.h"
#include "cgi/directory/staging.h"

/* --- the list -------------------------------------------------------------------------------- */

void environment_set(struct environment *env, const char *name, const char *value)
{
	char *var;

	if (env->failed || env->n + 1 == sizeof env->vars / sizeof *env->vars ||
	    asprintf(&var, "%s=%s", name, value) < 0) {
		env->failed = true;
		return;
	}
	env->vars[env->n++] = var;
	env->vars[env->n] = NULL;
}

void environment_pass(struct environment *env, const char *name)
{
	const char *value = getenv(name);

	if (value && *value)
		environment_set(env, name, value);
}

void environment_free(struct environment *env)
{
	size_t i;

	for (i = 0; i < env->n; i++)
		free(env->vars[i]);
	*env = (struct environment){0};
}

void covdata_environment(struct environment *env)
{
	environment_set(env, "PATH", search_path());
	environment_pass(env, "HOME");
	environment_pass(env, "TMPDIR");
}

/* --- a build cache --------------------------------------------------------------------------- */

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Could go write below this path, making directories on the way? */
static bool can_be_made(const char *path)
{
	char rest[PATH_MAX];
	char *slash;

	if (*path != '/' || strlen(path) >= sizeof rest)
		return false;
	strcpy(rest, path);
	while (access(rest, F_OK) < 0 && errno == ENOENT && (slash = strrchr(rest, '/')) != rest)
		*slash = '\0';
	return is_directory(rest) && access(rest, W_OK | X_OK) == 0;
}

static bool home_has_cache(const char *home)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/.cache", home);

	return n > 0 && (size_t)n < sizeof path && can_be_made(path);
}

/*
 * Our own directory, which outlives us: building takes seconds, and under CGI each request is a
 * process. Its name is known to everybody, so what lies there is used only if it is ours and ours
 * alone.
 */
static char *make_private_cache(struct error *err)
{
	struct stat st;
	char *path;

	if (asprintf(&path, "%s/goverage-fcgi-%lu-gocache", staging_disk_base(),
		     (unsigned long)geteuid()) < 0) {
		error_no_memory(err);
		return NULL;
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST) {
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		    (st.st_mode & 077) == 0)
			return path;
		error_set(err, ERROR_INTERNAL,
			  "the go command needs a build cache, and %s is not a directory of uid "
			  "%lu's alone: remove it, or set GOCACHE to a directory that user can "
			  "write",
			  path, (unsigned long)geteuid());
	} else {
		error_errno(err, ERROR_INTERNAL, errno,
			    "the go command needs a build cache: set GOCACHE to a directory that "
			    "uid %lu can write; can't make %s",
			    (unsigned long)geteuid(), path);
	}
	free(path);
	return NULL;
}

/* HOME, and where the build cache is. */
static int set_places(struct environment *env, struct error *err)
{
	const char *home = getenv("HOME"), *go = getenv("GOCACHE"), *xdg = getenv("XDG_CACHE_HOME");
	bool home_is_good = home && *home == '/' && is_directory(home);
	bool go_is_good = go && can_be_made(go);
	bool xdg_is_good = xdg && can_be_made(xdg);
	bool has_cache = go_is_good || xdg_is_good || (home_is_good && home_has_cache(home));
	cleanup_free char *own = NULL;

	if (!has_cache || !home_is_good) {
		own = make_private_cache(err);
		if (!own)
			return -1;
	}
	environment_set(env, "HOME", home_is_good ? home : own);
	if (xdg_is_good)
		environment_set(env, "XDG_CACHE_HOME", xdg);
	if (go_is_good)
		environment_set(env, "GOCACHE", go);
	else if (!has_cache)
		environment_set(env, "GOCACHE", own);
	return 0;
}

int go_environment(struct environment *env, struct error *err)
{
	if (set_places(env, err) < 0)
		return -1;
	environment_set(env, "PATH", search_path());
	environment_pass(env, "TMPDIR");
	environment_pass(env, "GOROOT");
	/* nothing is fetched, and nothing that the operator set for builds has a say */
	environment_set(env, "GOTOOLCHAIN", "local");
	environment_set(env, "GOPROXY", "off");
	environment_set(env, "GOFLAGS", "");
	environment_set(env, "GOENV", "off");
	environment_set(env, "GOWORK", "off");
	/* covdata needs no C compiler, and a web server has none on its PATH */
	environment_set(env, "CGO_ENABLED", "0");
	return env->failed ? error_no_memory(err) : 0;
}
