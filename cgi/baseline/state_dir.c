#include "cgi/baseline/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cgi/directory/coverage_list.h"

enum { LOCK_STEP_MS = 20 };

#define LOCK_NAME "lock"

int state_dir_cannot_write(const struct state_dir *state, int errnum, struct error *err)
{
	if (errnum == EACCES || errnum == EPERM || errnum == EROFS || errnum == ENOENT)
		return error_set(
		    err, ERROR_INTERNAL,
		    "the state directory %.512s can't be written by uid %lu (%s): make "
		    "it for that user, with mode 0700, or set GOVERAGE_STATE to a "
		    "directory that this user may write to",
		    state->path, (unsigned long)geteuid(), strerror(errnum));
	return error_errno(err, ERROR_INTERNAL, errnum, "can't write to the state directory %.512s",
			   state->path);
}

static int refuse(const struct state_dir *state, int errnum, struct error *err)
{
	if (errnum == ENOTDIR || errnum == ELOOP)
		return error_set(
		    err, ERROR_INTERNAL,
		    "the state directory %.512s is not a directory (symbolic links are "
		    "not followed): remove it, or set GOVERAGE_STATE to another one",
		    state->path);
	if (errnum == EACCES)
		return error_set(err, ERROR_INTERNAL,
				 "the state directory %.512s can't be read by uid %lu: set "
				 "GOVERAGE_STATE to a directory of this user",
				 state->path, (unsigned long)geteuid());
	return error_errno(err, ERROR_INTERNAL, errnum, "can't open the state directory %.512s",
			   state->path);
}

/* --- where it is ----------------------------------------------------------------------------- */

static char *choose_path(const struct settings *settings, const struct string_list *dirs)
{
	cleanup_free char *path = NULL;
	size_t len;

	if (!settings->state) {
		if (asprintf(&path, "%s" STATE_DIR_SUFFIX, dirs->items[0].text) < 0)
			path = NULL;
		return steal_ptr(path);
	}
	path = strdup(settings->state);
	/* with a slash behind it a symbolic link would be followed */
	for (len = path ? strlen(path) : 0; len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	return steal_ptr(path);
}

/* Its path without links; of one that does not exist by that of the directory above.  NULL with
 * errno. */
static char *real_path(const char *path)
{
	cleanup_free char *above = NULL, *above_copy = NULL, *base_copy = NULL;
	char *real = realpath(path, NULL);

	if (real || errno != ENOENT)
		return real;
	above_copy = strdup(path);
	base_copy = strdup(path);
	above = above_copy && base_copy ? realpath(dirname(above_copy), NULL) : NULL;
	if (!above || asprintf(&real, "%s/%s", above, basename(base_copy)) < 0)
		return NULL;
	return real;
}

static bool is_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (dir[len - 1] == '/') /* the root */
		return true;
	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int check_place(const struct state_dir *state, const struct string_list *dirs,
		       struct error *err)
{
	cleanup_free char *real = real_path(state->path);
	size_t i;

	if (!real)
		return errno == ELOOP ? refuse(state, errno, err)
				      : state_dir_cannot_write(state, errno, err);
	for (i = 0; i < dirs->n; i++)
		if (is_within(real, dirs->items[i].text))
			return error_set(err, ERROR_INTERNAL,
					 "the state directory %.400s lies inside the coverage "
					 "directory %.400s: set GOVERAGE_STATE to a directory "
					 "outside of it",
					 real, dirs->items[i].text);
	return 0;
}

/* --- opening --------------------------------------------------------------------------------- */

/* What somebody else could have put there counts for nothing. */
static int check_owner(const struct state_dir *state, struct error *err)
{
	struct stat st;

	if (fstat(state->fd, &st) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't look at %.512s", state->path);
	if (st.st_uid != geteuid())
		return error_set(
		    err, ERROR_INTERNAL,
		    "the state directory %.512s belongs to uid %lu, but this process is "
		    "uid %lu: remove it, or set GOVERAGE_STATE to another directory",
		    state->path, (unsigned long)st.st_uid, (unsigned long)geteuid());
	if (st.st_mode & 022)
		return error_set(
		    err, ERROR_INTERNAL,
		    "the state directory %.512s can be written by others: give it mode "
		    "0700",
		    state->path);
	return 0;
}

static int open_there(struct state_dir *state, struct error *err)
{
	state->fd = open(state->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state->fd < 0)
		return errno == ENOENT ? 0 : refuse(state, errno, err);
	return check_owner(state, err);
}

int state_dir_open(struct state_dir *state, const struct settings *settings,
		   const struct string_list *dirs, struct error *err)
{
	state->path = choose_path(settings, dirs);
	return state->path ? open_there(state, err) : error_no_memory(err);
}

static int take_lock(struct state_dir *state, const struct deadline *deadline, struct error *err)
{
	state->lock = openat(state->fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* a sandbox lets no file be opened for writing that is there; only NFS wants that for a
	 * lock */
	if (state->lock < 0 && errno == EPERM)
		state->lock =
		    openat(state->fd, LOCK_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (state->lock < 0)
		return state_dir_cannot_write(state, errno, err);
	while (flock(state->lock, LOCK_EX | LOCK_NB) < 0) {
		struct deadline step = deadline_in_ms(LOCK_STEP_MS, deadline->cancel_fd);

		if (errno != EWOULDBLOCK && errno != EINTR)
			return state_dir_cannot_write(state, errno, err);
		if (coverage_check_deadline(deadline, err) < 0)
			return error_prefix(err, "another request writes to %.512s", state->path);
		deadline_wait(&step, -1, 0);
	}
	return 0;
}

int state_dir_open_locked(struct state_dir *state, const struct settings *settings,
			  const struct string_list *dirs, const struct deadline *deadline,
			  struct error *err)
{
	state->path = choose_path(settings, dirs);
	if (!state->path)
		return error_no_memory(err);
	if (check_place(state, dirs, err) < 0)
		return -1;
	if (mkdir(state->path, 0700) < 0 && errno != EEXIST)
		return state_dir_cannot_write(state, errno, err);
	if (open_there(state, err) < 0)
		return -1;
	if (state->fd < 0)
		return state_dir_cannot_write(state, ENOENT, err);
	return take_lock(state, deadline, err);
}

void state_dir_close(struct state_dir *state)
{
	if (state->lock >= 0)
		close(state->lock);
	if (state->fd >= 0)
		close(state->fd);
	free(state->path);
	*state = STATE_DIR_INIT;
}
