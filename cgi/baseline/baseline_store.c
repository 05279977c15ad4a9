#include "cgi/baseline/baseline_store.h"
#include "cgi/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cgi/base/io.h"
#include "cgi/base/log.h"
#include "cgi/directory/coverage_names.h"

/* In clock ticks of 10 ms that is 300,000 years; in nanoseconds since 1970 it was in January
 * 1970. */
#define MOST_TICKS (UINT64_C(1) << 50)

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* --- names ----------------------------------------------------------------------------------- */

void baseline_key(char key[BASELINE_KEY_SIZE], const struct string_list *dirs)
{
	uint64_t hash = HASH_START;
	size_t i;

	/* the paths and the NUL behind each */
	for (i = 0; i < dirs->n; i++)
		hash = hash_bytes(hash, dirs->items[i].text, dirs->items[i].len + 1);
	snprintf(key, BASELINE_KEY_SIZE, "%016" PRIx64, hash);
}

void baseline_name(char name[BASELINE_NAME_SIZE], const char *key, int64_t set_ns)
{
	snprintf(name, BASELINE_NAME_SIZE, "baseline.%s.%" PRId64, key, set_ns);
}

/* The name under which one is written. */
static void new_name(char name[BASELINE_NAME_SIZE], const char *key)
{
	snprintf(name, BASELINE_NAME_SIZE, "new.%s", key);
}

/* The time in the name of a baseline with this key; 0 where it is none. */
static int64_t parse_name(const char *name, const char *key)
{
	char made[BASELINE_NAME_SIZE];
	size_t front;
	int64_t set_ns;

	baseline_name(made, key, 0);
	front = strlen(made) - 1;
	if (strncmp(name, made, front) != 0)
		return 0;
	errno = 0;
	set_ns = strtoll(name + front, NULL, 10);
	if (errno || set_ns <= 0)
		return 0;
	/* and nothing but the name as it is written here */
	baseline_name(made, key, set_ns);
	return strcmp(name, made) == 0 ? set_ns : 0;
}

void baseline_time(char text[BASELINE_TIME_SIZE], int64_t set_ns)
{
	time_t seconds = (time_t)(set_ns / 1000000000);
	struct tm utc;

	if (!gmtime_r(&seconds, &utc) ||
	    !strftime(text, BASELINE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc))
		text[0] = '\0';
}

/* --- the directory --------------------------------------------------------------------------- */

static DIR *list(int dir_fd)
{
	cleanup_fd int fd = openat(dir_fd, ".", DIR_FLAGS);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir)
		fd = -1; /* closedir() closes it */
	return dir;
}

int64_t baseline_latest(const struct state_dir *state, const char *key, struct error *err)
{
	cleanup_dir DIR *dir = list(state->fd);
	struct dirent *entry;
	int64_t latest = 0;

	if (!dir)
		return error_errno(err, ERROR_INTERNAL, errno,
				   "can't list the state directory %.512s", state->path);
	while (errno = 0, (entry = readdir(dir))) {
		int64_t set_ns = parse_name(entry->d_name, key);

		if (set_ns > latest)
			latest = set_ns;
	}
	if (errno) /* one that was not seen must not pass for none */
		return error_errno(err, ERROR_INTERNAL, errno,
				   "can't list the state directory %.512s", state->path);
	return latest;
}

int baseline_files(struct coverage_set *set, const struct state_dir *state, const char *key,
		   int64_t set_ns, const struct deadline *deadline, struct error *err)
{
	cleanup_free char *path = NULL;
	char name[BASELINE_NAME_SIZE];

	baseline_name(name, key, set_ns);
	if (asprintf(&path, "%s/%s", state->path, name) < 0) {
		path = NULL;
		return error_no_memory(err);
	}
	if (coverage_set_read(set, path, deadline, err) < 0)
		return -1;
	if (set->skipped == 0)
		return 0;
	return error_set(err, ERROR_INTERNAL, "%zu files in %.512s are damaged, the log says how",
			 set->skipped, path);
}

/* Remove a directory in the state directory, and the files in it. */
static void remove_dir(const struct state_dir *state, const char *name)
{
	cleanup_fd int fd = openat(state->fd, name, DIR_FLAGS);
	cleanup_dir DIR *dir = fd >= 0 ? list(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(fd, entry->d_name, 0);
	if (unlinkat(state->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_line("can't remove %s/%s: %s", state->path, name, strerror(errno));
}

static void remove_older(const struct state_dir *state, const char *key, int64_t than_ns)
{
	cleanup_dir DIR *dir = list(state->fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int64_t set_ns = parse_name(entry->d_name, key);

		if (set_ns && set_ns < than_ns)
			remove_dir(state, entry->d_name);
	}
}

/* --- writing --------------------------------------------------------------------------------- */

/* Later than the one before, even when the clock was set back. */
static int64_t choose_time(int64_t latest_ns)
{
	struct timespec now;
	int64_t now_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (now_ns <= latest_ns)
		now_ns = latest_ns + (latest_ns < INT64_MAX);
	return now_ns;
}

int baseline_writer_begin(struct baseline_writer *writer, const struct state_dir *state,
			  const struct string_list *dirs, struct error *err)
{
	char name[BASELINE_NAME_SIZE];
	int64_t latest_ns;

	writer->state = state;
	baseline_key(writer->key, dirs);
	latest_ns = baseline_latest(state, writer->key, err);
	if (latest_ns < 0)
		return -1;
	writer->set_ns = choose_time(latest_ns);
	new_name(name, writer->key);
	remove_dir(state, name);
	if (mkdirat(state->fd, name, 0700) < 0)
		return state_dir_cannot_write(state, errno, err);
	writer->fd = openat(state->fd, name, DIR_FLAGS);
	return writer->fd < 0 ? state_dir_cannot_write(state, errno, err) : 0;
}

static int cannot_write(const struct baseline_writer *writer, struct error *err)
{
	return state_dir_cannot_write(writer->state, errno, err);
}

/* Its content is on the disk before the baseline gets its name. */
static int write_new(const struct baseline_writer *writer, const char *name, const void *bytes,
		     size_t n)
{
	cleanup_fd int fd = openat(writer->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_full(fd, bytes, n) < 0)
		return -1;
	return fsync(fd);
}

int baseline_writer_meta(struct baseline_writer *writer, const char *name, const void *bytes,
			 size_t n, struct error *err)
{
	struct stat st;

	if (fstatat(writer->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return write_new(writer, name, bytes, n) < 0 ? cannot_write(writer, err) : 0;
}

int baseline_writer_counters(struct baseline_writer *writer, const char *tag, size_t tag_len,
			     const struct baseline_process *process, const void *bytes, size_t n,
			     struct error *err)
{
	const struct baseline_process sum = {writer->n, (uint64_t)writer->set_ns};
	const struct baseline_process *id = process ? process : &sum;
	char name[NAME_MAX + 1];
	int len = snprintf(name, sizeof name, "covcounters.%.*s.%" PRIu64 ".%" PRIu64, (int)tag_len,
			   tag, id->pid, id->start_ticks);

	writer->n += !process;
	if (len >= (int)sizeof name) {
		errno = ENAMETOOLONG;
		return cannot_write(writer, err);
	}
	return write_new(writer, name, bytes, n) < 0 ? cannot_write(writer, err) : 0;
}

bool baseline_is_of_process(const struct coverage_file *file, const struct live_process *process)
{
	return file->kind == COVERAGE_COUNTERS && file->pid == (uint64_t)process->pid &&
	       file->time_ns == process->start_ticks && coverage_tag_is(file, process->hash);
}

/* A sum has the time of its baseline, which no machine has been up for in clock ticks. */
bool baseline_process_of(const struct coverage_file *file, struct baseline_process *process)
{
	*process = (struct baseline_process){file->pid, file->time_ns};
	return file->time_ns < MOST_TICKS;
}

int baseline_writer_end(struct baseline_writer *writer, struct error *err)
{
	const struct state_dir *state = writer->state;
	char from[BASELINE_NAME_SIZE], to[BASELINE_NAME_SIZE];

	new_name(from, writer->key);
	baseline_name(to, writer->key, writer->set_ns);
	if (fsync(writer->fd) < 0 || renameat(state->fd, from, state->fd, to) < 0)
		return cannot_write(writer, err);
	close(steal_fd(&writer->fd));
	fsync(state->fd);
	remove_older(state, writer->key, writer->set_ns);
	return 0;
}

void baseline_writer_close(struct baseline_writer *writer)
{
	char name[BASELINE_NAME_SIZE];

	if (writer->fd < 0)
		return;
	close(steal_fd(&writer->fd));
	new_name(name, writer->key);
	remove_dir(writer->state, name);
}
