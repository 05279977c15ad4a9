#include "cgi/sent_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/io.h"
#include "cgi/base/log.h"
#include "cgi/coverage/staging.h"

enum { PLACES = 4 };

struct sent_file {
	char name[TEXT_CACHE_NAME_MAX + 1]; /* of the text; "" = this place is free */
	unsigned long number;		    /* the name of the file */
	size_t size;
	int64_t given_ms; /* when its name was given away last */
};

struct sent_files {
	size_t budget;
	pthread_mutex_t lock;	/* for all below */
	struct staging staging; /* made for the first file */
	bool failed;		/* that could not be done, and is in the log */
	unsigned long made;
	struct sent_file places[PLACES];
};

struct sent_files *sent_files_new(size_t budget)
{
	struct sent_files *files = calloc(1, sizeof *files);

	if (!files || pthread_mutex_init(&files->lock, NULL) != 0) {
		free(files);
		return NULL;
	}
	files->budget = budget;
	files->staging = STAGING_INIT;
	return files;
}

static void file_name(const struct sent_file *file, char out[32])
{
	snprintf(out, 32, "%lu", file->number);
}

static void remove_file(struct sent_files *files, struct sent_file *file)
{
	char name[32];

	file_name(file, name);
	unlinkat(files->staging.fd, name, 0);
	*file = (struct sent_file){.size = 0};
}

static struct sent_file *find(struct sent_files *files, const char *name)
{
	size_t i;

	for (i = 0; i < PLACES; i++)
		if (strcmp(files->places[i].name, name) == 0)
			return &files->places[i];
	return NULL;
}

/* Remove the file whose name was given away first, if that is long ago. */
static bool remove_oldest(struct sent_files *files, int64_t now_ms)
{
	struct sent_file *oldest = NULL;
	size_t i;

	for (i = 0; i < PLACES; i++) {
		struct sent_file *file = &files->places[i];

		if (*file->name && (!oldest || file->given_ms < oldest->given_ms))
			oldest = file;
	}
	if (!oldest || now_ms - oldest->given_ms < SENT_FILES_STAY_MS)
		return false;
	remove_file(files, oldest);
	return true;
}

/* A free place and room for `size` bytes; NULL where there is none yet. */
static struct sent_file *make_room(struct sent_files *files, size_t size, int64_t now_ms)
{
	for (;;) {
		struct sent_file *empty = NULL;
		size_t total = size, i;

		for (i = 0; i < PLACES; i++) {
			total += files->places[i].size;
			if (!*files->places[i].name)
				empty = &files->places[i];
		}
		if (empty && total <= files->budget)
			return empty;
		if (!remove_oldest(files, now_ms))
			return NULL;
	}
}

/* What can't be done now is told once; the answers go out all the same. */
static bool log_failure(struct sent_files *files, const char *reason)
{
	if (!files->failed)
		log_line("answers are not sent as files: %s", reason);
	files->failed = true;
	return false;
}

static bool open_directory(struct sent_files *files)
{
	struct error err = {0};

	if (files->staging.fd >= 0)
		return true;
	if (staging_open(&files->staging, &err) < 0)
		return log_failure(files, err.message);
	if (staging_is_in_memory(&files->staging))
		return true;
	/* the web server is told to look there and nowhere else */
	staging_close(&files->staging);
	return log_failure(files, STAGING_MEMORY_BASE " can't be written");
}

static bool write_file(struct sent_files *files, struct sent_file *file, const char *name,
		       const struct profile_text *text)
{
	cleanup_fd int fd = -1;
	char number[32];

	file->number = ++files->made;
	file_name(file, number);
	fd = openat(files->staging.fd, number, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return log_failure(files, strerror(errno));
	if (io_write_full(fd, text->bytes, text->len) < 0) {
		unlinkat(files->staging.fd, number, 0);
		return log_failure(files, strerror(errno));
	}
	snprintf(file->name, sizeof file->name, "%s", name);
	file->size = text->len;
	files->failed = false;
	return true;
}

static struct sent_file *make_file(struct sent_files *files, const char *name,
				   const struct profile_text *text, int64_t now_ms)
{
	struct sent_file *file;

	if (text->len < SENT_FILES_LEAST || text->len > files->budget || !open_directory(files))
		return NULL;
	file = make_room(files, text->len, now_ms);
	return file && write_file(files, file, name, text) ? file : NULL;
}

/* Is it there still?  Somebody may have cleared the directory for temporary files. */
static bool lead_to(const struct sent_files *files, const struct sent_file *file,
		    char path[SENT_FILES_PATH])
{
	struct stat st;
	int n = snprintf(path, SENT_FILES_PATH, "%s/%lu", files->staging.path, file->number);

	return n < SENT_FILES_PATH && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (size_t)st.st_size == file->size;
}

bool sent_files_path(struct sent_files *files, const char *name, const struct profile_text *text,
		     int64_t now_ms, char path[SENT_FILES_PATH])
{
	struct sent_file *file;
	bool there;

	if (!files->budget || !*name)
		return false;
	pthread_mutex_lock(&files->lock);
	file = find(files, name);
	there = file && lead_to(files, file, path);
	if (!there) {
		if (file)
			remove_file(files, file);
		file = make_file(files, name, text, now_ms);
		there = file && lead_to(files, file, path);
	}
	if (there)
		file->given_ms = now_ms;
	pthread_mutex_unlock(&files->lock);
	return there;
}

void sent_files_free(struct sent_files *files)
{
	if (!files)
		return;
	staging_close(&files->staging);
	pthread_mutex_destroy(&files->lock);
	free(files);
}
