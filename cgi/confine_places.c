#include "cgi/confine_places.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgi/baseline/state_dir.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/directory/staging.h"

static int add(struct string_list *places, const char *path)
{
	return string_list_add(places, path, strlen(path));
}

/* As state_dir.c chooses it, whether the coverage directory is there or not; NULL: no memory. */
static char *state_path(const struct settings *settings)
{
	cleanup_free char *first = NULL, *real = NULL;
	char *path;

	if (settings->state)
		return strdup(settings->state);
	first = strndup(settings->gocoverdir, coverage_dirs_element(settings->gocoverdir));
	real = first ? realpath(first, NULL) : NULL;
	if (!first || asprintf(&path, "%s" STATE_DIR_SUFFIX, real ? real : first) < 0)
		return NULL;
	return path;
}

static int add_state(struct string_list *places, const struct settings *settings)
{
	cleanup_free char *path = state_path(settings);

	if (!path)
		return -1;
	return add(places, access(path, F_OK) == 0 ? path : dirname(path));
}

int confine_places(struct string_list *places, const struct settings *settings)
{
	if (add(places, STAGING_MEMORY_BASE) < 0 || add(places, staging_disk_base()) < 0)
		return -1;
	/* in an empty root directory there is no other place than itself */
	if (access(staging_disk_base(), F_OK) < 0 && add(places, "/") < 0)
		return -1;
	/* without it the directories come with the requests, and so does the place of the state */
	if (settings->state || settings->gocoverdir)
		return add_state(places, settings);
	return 0;
}
