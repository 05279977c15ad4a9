#include "cgi/directory/memory_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/array.h"
#include "cgi/base/io.h"
#include "cgi/directory/coverage_names.h"

/* Where the name is, or would go; *found tells which. */
static size_t find_place(const struct memory_files *files, const char *name, bool *found)
{
	size_t from = 0, end = files->n;

	*found = false;
	while (from < end) {
		size_t middle = from + (end - from) / 2;
		int order = strcmp(files->list[middle]->file.name, name);

		*found |= order == 0;
		if (order < 0)
			from = middle + 1;
		else
			end = middle;
	}
	return from;
}

/* The memory that the content does not need goes back: there may be many of them. */
static uint8_t *take_content(struct buffer *content)
{
	char *data = realloc(content->data, content->len + 1);

	if (!data)
		return NULL;
	*content = BUFFER_INIT;
	return (uint8_t *)data;
}

static struct memory_file *new_file(const char *name, struct buffer *content)
{
	struct memory_file *made = calloc(1, sizeof *made);
	struct coverage_file file = {.size = content->len};

	if (made && coverage_name_parse(name, &file)) {
		atomic_init(&made->users, 1);
		made->file = file;
		made->file.name = strdup(name);
		made->data = made->file.name ? take_content(content) : NULL;
	}
	if (!made || made->data)
		return made;
	free(made->file.name);
	free(made);
	return NULL;
}

static int make_room(struct memory_files *files)
{
	struct memory_file **list =
	    array_grow(files->list, &files->room, files->n, 1, sizeof *list);

	if (!list)
		return -1;
	files->list = list;
	return 0;
}

int memory_files_add(struct memory_files *files, const char *name, struct buffer *content)
{
	struct memory_file *file;
	bool found;
	size_t at = find_place(files, name, &found);

	if (found)
		return 0;
	if (content->failed || make_room(files) < 0)
		return -1;
	file = new_file(name, content);
	if (!file)
		return -1;
	memmove(files->list + at + 1, files->list + at, (files->n - at) * sizeof *files->list);
	files->list[at] = file;
	files->n++;
	files->bytes += file->file.size;
	return 1;
}

struct memory_file *memory_files_find(const struct memory_files *files, const char *name)
{
	bool found;
	size_t at = find_place(files, name, &found);

	return found ? files->list[at] : NULL;
}

void memory_files_remove(struct memory_files *files, const char *name)
{
	bool found;
	size_t at = find_place(files, name, &found);

	if (!found)
		return;
	files->bytes -= files->list[at]->file.size;
	memory_file_release(files->list[at]);
	files->n--;
	memmove(files->list + at, files->list + at + 1, (files->n - at) * sizeof *files->list);
}

static int store(const struct memory_file *file, int dir_fd)
{
	cleanup_fd int fd =
	    openat(dir_fd, file->file.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : io_write_full(fd, file->data, file->file.size);
}

int memory_files_store(const struct memory_files *files, int dir_fd, struct error *err)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		if (store(files->list[i], dir_fd) < 0)
			return error_errno(err, ERROR_INTERNAL, errno, "writing the snapshot %s",
					   files->list[i]->file.name);
	return 0;
}

void memory_files_free(struct memory_files *files)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		memory_file_release(files->list[i]);
	free(files->list);
	*files = MEMORY_FILES_INIT;
}

int memory_file_open(const struct memory_file *file, struct error *err)
{
	cleanup_fd int fd = memfd_create(file->file.name, MFD_CLOEXEC);

	if (fd < 0 || io_write_full(fd, file->data, file->file.size) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't be made a memory file");
	return steal_fd(&fd);
}

struct memory_file *memory_file_use(struct memory_file *file)
{
	atomic_fetch_add(&file->users, 1);
	return file;
}

void memory_file_release(struct memory_file *file)
{
	if (!file || atomic_fetch_sub(&file->users, 1) != 1)
		return;
	free(file->file.name);
	free(file->data);
	free(file);
}
