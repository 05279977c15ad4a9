#include "cgi/live/find/meta_marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgi/base/io.h"
#include "cgi/directory/coverage_screen.h"
#include "cgi/format/coverage_format.h"
#include "cgi/live/go/registration.h"

enum { CHUNK = 256 << 10, PREFIX_LEN = 8, ENTRIES_MAX = 100000 };

/* --- from files ------------------------------------------------------------------------------ */

/* "covmeta." and 32 hexadecimal digits: the digits, or NULL. */
static const char *hash_in(const char *name)
{
	const char *hex = name + PREFIX_LEN;

	return strncmp(name, "covmeta.", PREFIX_LEN) == 0 && strlen(hex) == META_HEX_SIZE - 1 &&
		       strspn(hex, "0123456789abcdef") == META_HEX_SIZE - 1
		   ? hex
		   : NULL;
}

/* The head of the last package. */
static bool read_head(int fd, unsigned char head[META_MARK_SIZE])
{
	unsigned char header[COVMETA_HEADER_SIZE], offset[8];
	uint64_t n, at;

	if (io_pread_full(fd, header, sizeof header, 0) != (ssize_t)sizeof header ||
	    memcmp(header, COVMETA_MAGIC, 4) != 0)
		return false;
	n = le64(header + COVMETA_AT_PACKAGES);
	if (n == 0 || n > REGISTRATION_MAX_PACKAGES ||
	    io_pread_full(fd, offset, sizeof offset, (off_t)(COVMETA_HEADER_SIZE + 8 * (n - 1))) !=
		(ssize_t)sizeof offset)
		return false;
	at = le64(offset);
	return at < INT64_MAX - META_MARK_SIZE &&
	       io_pread_full(fd, head, META_MARK_SIZE, (off_t)at) == META_MARK_SIZE;
}

static void read_name(int fd, const struct stat *st, char name[META_NAME_SIZE])
{
	cleanup_buffer struct buffer built = BUFFER_INIT;
	char path[1024];

	if (!coverage_program(fd, (uint64_t)st->st_size, path, sizeof path))
		return;
	program_name_of_import_path(path, strlen(path), &built);
	snprintf(name, META_NAME_SIZE, "%s", buffer_str(&built));
}

/* In a free place, or in that of the oldest one. */
static struct meta_mark *place_for(struct meta_marks *marks, int64_t written_ns)
{
	unsigned i, oldest = 0;

	if (marks->n < META_MARKS_MAX)
		return &marks->list[marks->n++];
	for (i = 1; i < marks->n; i++)
		if (marks->list[i].written_ns < marks->list[oldest].written_ns)
			oldest = i;
	return marks->list[oldest].written_ns < written_ns ? &marks->list[oldest] : NULL;
}

static void add(struct meta_marks *marks, int dir_fd, const char *name, const char *hex)
{
	cleanup_fd int fd = -1;
	struct meta_mark *mark;
	struct stat st;
	int64_t written_ns;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	mark = place_for(marks, written_ns);
	if (!mark)
		return;
	*mark = (struct meta_mark){.owner = st.st_uid, .written_ns = written_ns};
	memcpy(mark->hex, hex, META_HEX_SIZE);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	mark->is_known = fd >= 0 && read_head(fd, mark->head);
	if (mark->is_known)
		read_name(fd, &st, mark->name);
}

static int read_dir(struct meta_marks *marks, int dir_fd, struct fault *fault)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned seen = 0;

	if (!dir) {
		fault_from_errno(fault, "GOCOVERDIR can't be listed");
		if (fd >= 0)
			close(fd);
		return fault->kind == FAULT_REQUEST ? -1 : 0;
	}
	while (seen++ < ENTRIES_MAX && (entry = readdir(dir))) {
		const char *hex = hash_in(entry->d_name);

		if (hex)
			add(marks, dir_fd, entry->d_name, hex);
	}
	return 0;
}

int meta_marks_read(struct meta_marks *marks, const struct watched_dirs *watched,
		    struct fault *fault)
{
	unsigned i;

	for (i = 0; i < watched->n; i++)
		if (watched->dirs[i].fd >= 0 && read_dir(marks, watched->dirs[i].fd, fault) < 0)
			return -1;
	return 0;
}

/* --- in programs ----------------------------------------------------------------------------- */

static const struct meta_mark *find_in(const struct meta_marks *marks, const unsigned char *data,
				       size_t n)
{
	unsigned i;

	for (i = 0; i < marks->n; i++)
		if (marks->list[i].is_known && memmem(data, n, marks->list[i].head, META_MARK_SIZE))
			return &marks->list[i];
	return NULL;
}

int meta_marks_find(const struct meta_marks *marks, const struct memory *source, uint64_t at,
		    uint64_t n, const struct deadline *deadline, const struct meta_mark **found,
		    struct fault *fault)
{
	cleanup_free unsigned char *data = malloc(CHUNK);
	struct fault not_there = FAULT_INIT;

	*found = NULL;
	if (!data)
		return fault_no_memory(fault);
	while (n >= META_MARK_SIZE && !*found) {
		size_t step = n < CHUNK ? (size_t)n : CHUNK;

		if (fault_check_deadline(deadline, fault) < 0)
			return -1;
		if (memory_read(source, at, data, step, &not_there) < 0)
			return 0;
		*found = find_in(marks, data, step);
		if (step < CHUNK)
			return 0;
		/* one may lie across */
		at += CHUNK - META_MARK_SIZE + 1;
		n -= CHUNK - META_MARK_SIZE + 1;
	}
	return 0;
}

int meta_marks_find_in_process(const struct meta_marks *marks, const struct process *process,
			       const struct memory *memory, const struct deadline *deadline,
			       const struct meta_mark **found, struct fault *fault)
{
	cleanup_memory_images struct memory_images images = MEMORY_IMAGES_INIT;
	unsigned i, k;

	*found = NULL;
	if (memory_images_read(&images, process, fault) < 0)
		return -1;
	for (i = 0; i < images.n && !*found; i++)
		for (k = 0; k < images.list[i].n && !*found; k++) {
			const struct elf_segment *part = &images.list[i].parts[k];

			if (!part->writable &&
			    meta_marks_find(marks, memory, images.list[i].start + part->vaddr,
					    part->mem_size, deadline, found, fault) < 0)
				return -1;
		}
	return 0;
}
