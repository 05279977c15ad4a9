#include "cgi/directory/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cgi/base/io.h"
#include "cgi/format/covmeta.h"

enum { FIRST_PIECE = 64 << 10 };

static int cannot(int errnum, const char *what, bool *gone, struct error *err)
{
	*gone = errnum == ENOENT;
	return error_errno(err, ERROR_INTERNAL, errnum, "can't be %s", what);
}

int source_file_open(int dir_fd, const char *name, bool *gone, struct error *err)
{
	/* without O_NONBLOCK a pipe under such a name would hold us up */
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*gone = false;
	return fd >= 0 ? fd : cannot(errno, "opened", gone, err);
}

static int reserve(struct file_bytes *bytes, size_t n, struct error *err)
{
	uint8_t *data;

	if (bytes->owner)
		file_bytes_free(bytes);
	if (n <= bytes->cap)
		return 0;
	data = realloc(bytes->data, n);
	if (!data)
		return error_no_memory(err);
	bytes->data = data;
	bytes->cap = n;
	return 0;
}

/* The rest of a file that does not fit in the first piece, which has been read. */
static int read_rest(int fd, struct file_bytes *bytes, bool *gone, struct error *err)
{
	size_t have = bytes->cap;
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return cannot(errno, "read", gone, err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTERNAL, "is not a regular file");
	if (st.st_size > COVERAGE_FILE_MAX)
		return error_set(err, ERROR_INTERNAL, "is larger than %d MiB",
				 COVERAGE_FILE_MAX >> 20);
	if (reserve(bytes, (size_t)st.st_size, err) < 0)
		return -1;
	got = io_pread_full(fd, bytes->data + have, bytes->cap - have, (off_t)have);
	if (got < 0)
		return cannot(errno, "read", gone, err);
	bytes->len = have + (size_t)got;
	return 0;
}

int source_file_read(int dir_fd, const char *name, struct file_bytes *bytes, bool *gone,
		     struct error *err)
{
	cleanup_fd int fd = source_file_open(dir_fd, name, gone, err);
	ssize_t got;

	if (fd < 0 || reserve(bytes, FIRST_PIECE, err) < 0)
		return -1;
	/* most files are small: three system calls, of which every one counts for thousands of
	 * them */
	do
		got = read(fd, bytes->data, bytes->cap);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return cannot(errno, "read", gone, err);
	if ((size_t)got == bytes->cap)
		return read_rest(fd, bytes, gone, err);
	bytes->len = (size_t)got;
	return 0;
}

int source_file_identify(int dir_fd, const char *name, struct file_identity *identity, bool *gone,
			 struct error *err)
{
	struct stat st;
	bool is_link;

	*gone = false;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(errno, "looked at", gone, err);
	is_link = S_ISLNK(st.st_mode);
	if (is_link && fstatat(dir_fd, name, &st, 0) < 0)
		return cannot(errno, "looked at", gone, err);
	*identity = file_identity_of(&st);
	if (is_link)
		identity->links = 0;
	return 0;
}

void file_bytes_share(struct file_bytes *bytes, struct memory_file *file)
{
	file_bytes_free(bytes);
	*bytes = (struct file_bytes){file->data, file->file.size, 0, memory_file_use(file)};
}

size_t file_bytes_memory(const struct file_bytes *bytes)
{
	return bytes->owner ? bytes->len : bytes->cap;
}

void file_bytes_trim(struct file_bytes *bytes)
{
	size_t need = bytes->len ? bytes->len : 1;
	uint8_t *data = need < bytes->cap ? realloc(bytes->data, need) : NULL;

	if (!data)
		return;
	bytes->data = data;
	bytes->cap = need;
}

void file_bytes_free(struct file_bytes *bytes)
{
	if (bytes->owner)
		memory_file_release(bytes->owner);
	else
		free(bytes->data);
	*bytes = FILE_BYTES_INIT;
}
