#include "cgi/directory/coverage_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/array.h"
#include "cgi/directory/coverage_names.h"

static int check_time(const struct deadline *deadline, struct error *err)
{
	if (deadline_left_ms(deadline) == 0)
		return error_set(err, ERROR_TIMEOUT,
				 "the time for one answer ran out while the files in GOCOVERDIR "
				 "were looked at: set GOVERAGE_TIMEOUT to more seconds, join old "
				 "files with covdata merge, or see whether the file system is "
				 "slow");
	return 0;
}

int coverage_check_deadline(const struct deadline *deadline, struct error *err)
{
	struct deadline now = {0, deadline->cancel_fd};

	if (deadline_wait(&now, -1, 0) == DEADLINE_CANCELLED)
		return error_set(err, ERROR_CANCELLED, "nobody waits for the answer any more");
	return check_time(deadline, err);
}

int coverage_check_step(const struct deadline *deadline, size_t n, struct error *err)
{
	return n % COVERAGE_DEADLINE_STEP ? check_time(deadline, err)
					  : coverage_check_deadline(deadline, err);
}

static int append(struct coverage_set *set, size_t *room, const struct coverage_file *file,
		  struct error *err)
{
	struct coverage_file *files;

	if (set->n_files == COVERAGE_MAX_FILES)
		return error_set(err, ERROR_INTERNAL,
				 "GOCOVERDIR holds more than %d coverage files: join old ones with "
				 "covdata merge",
				 COVERAGE_MAX_FILES);
	files = array_grow(set->files, room, set->n_files, 1, sizeof *files);
	if (!files)
		return error_no_memory(err);
	set->files = files;
	set->files[set->n_files++] = *file;
	return 0;
}

static bool is_directory(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int take_entry(struct coverage_set *set, size_t *room, int dir_fd, unsigned dir,
		      const struct dirent *entry, struct error *err)
{
	struct coverage_file file = {.dir = dir};

	if (!coverage_name_parse(entry->d_name, &file) || is_directory(dir_fd, entry))
		return 0;
	file.name = strdup(entry->d_name);
	if (!file.name)
		return error_no_memory(err);
	if (append(set, room, &file, err) < 0) {
		free(file.name);
		return -1;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct coverage_file *)a)->name,
		      ((const struct coverage_file *)b)->name);
}

int coverage_list(struct coverage_set *set, size_t *room, int dir_fd, unsigned dir,
		  const struct deadline *deadline, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	const char *path = set->dirs.items[dir].text;
	size_t first = set->n_files, seen;
	struct dirent *entry;

	if (!stream)
		return error_errno(err, ERROR_INTERNAL, errno, "can't list GOCOVERDIR %s", path);
	fd = -1; /* closedir() closes it */
	for (seen = 0; errno = 0, (entry = readdir(stream)); seen++) {
		if (coverage_check_step(deadline, seen, err) < 0)
			return -1;
		if (take_entry(set, room, dir_fd, dir, entry, err) < 0)
			return -1;
	}
	if (errno)
		return error_errno(err, ERROR_INTERNAL, errno, "can't list GOCOVERDIR %s", path);
	if (set->n_files > first)
		qsort(set->files + first, set->n_files - first, sizeof *set->files, by_name);
	return 0;
}

/* --- one name -------------------------------------------------------------------------------- */

/* Where the name is in the set, or would go. */
static size_t find_place(const struct coverage_set *set, unsigned dir, const char *name)
{
	size_t from = 0, end = set->n_files;

	while (from < end) {
		size_t middle = from + (end - from) / 2;
		const struct coverage_file *file = &set->files[middle];

		if (file->dir < dir || (file->dir == dir && strcmp(file->name, name) < 0))
			from = middle + 1;
		else
			end = middle;
	}
	return from;
}

static void count(struct coverage_set *set, const struct coverage_file *file, size_t more)
{
	*(file->kind == COVERAGE_META ? &set->n_meta : &set->n_counters) += more;
	set->n_files += more;
}

static int insert(struct coverage_set *set, size_t at, struct coverage_file *file, const char *name)
{
	struct coverage_file *files;

	if (set->n_files >= COVERAGE_MAX_FILES)
		return -1;
	files = reallocarray(set->files, set->n_files + 1, sizeof *files);
	if (!files)
		return -1;
	set->files = files;
	file->name = strdup(name);
	if (!file->name)
		return -1;
	memmove(files + at + 1, files + at, (set->n_files - at) * sizeof *files);
	files[at] = *file;
	count(set, file, 1);
	return 0;
}

static void take_out(struct coverage_set *set, size_t at)
{
	struct coverage_file file = set->files[at];

	memmove(set->files + at, set->files + at + 1, (set->n_files - at - 1) * sizeof *set->files);
	count(set, &file, (size_t)-1);
	free(file.name);
}

int coverage_list_again(struct coverage_set *set, int dir_fd, unsigned dir, const char *name)
{
	struct coverage_file file = {.dir = dir, .changed = set->generation};
	bool is_there, was_there;
	struct stat st;
	size_t at;

	if (!coverage_name_parse(name, &file))
		return 0;
	is_there = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!is_there && errno != ENOENT)
		return -1;
	is_there = is_there && !S_ISDIR(st.st_mode);
	at = find_place(set, dir, name);
	was_there = at < set->n_files && set->files[at].dir == dir &&
		    strcmp(set->files[at].name, name) == 0;
	if (is_there && !was_there)
		return insert(set, at, &file, name);
	if (is_there)
		set->files[at].changed = set->generation;
	else if (was_there)
		take_out(set, at);
	return 0;
}
