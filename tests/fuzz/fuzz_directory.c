/*
 * A coverage directory.  The input is a list of files: a name that ends at a NUL byte, the length
 * of the content (two bytes, low one first), the content.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/directory/coverage_names.h"
#include "cgi/directory/coverage_screen.h"

enum { MAX_FILES = 16 };

static char dir_path[64];
static int dir_fd = -1;

static void remove_directory(void)
{
	rmdir(dir_path);
}

static void make_directory(void)
{
	snprintf(dir_path, sizeof dir_path, "/dev/shm/goverage-fuzz-XXXXXX");
	if (!mkdtemp(dir_path)) {
		snprintf(dir_path, sizeof dir_path, "/tmp/goverage-fuzz-XXXXXX");
		fuzz_expect(mkdtemp(dir_path));
	}
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_expect(dir_fd >= 0);
	atexit(remove_directory);
}

/* Make the files; how many of the bytes name each is kept in names, which point into data. */
static size_t make_files(const uint8_t *data, size_t size, const char *names[MAX_FILES])
{
	size_t n = 0;

	while (size && n < MAX_FILES) {
		const uint8_t *end = memchr(data, '\0', size);
		const char *name = (const char *)data;
		cleanup_fd int fd = -1;
		size_t len;

		if (!end || size - (size_t)(end - data) < 3)
			break;
		size -= (size_t)(end - data) + 3;
		data = end + 3;
		len = (size_t)(end[1] | end[2] << 8);
		if (len > size)
			len = size;
		if (!strchr(name, '/'))
			fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			fuzz_expect(io_write_full(fd, data, len) == 0);
			names[n++] = name;
		}
		data += len;
		size -= len;
	}
	return n;
}

static bool same_tag(const struct coverage_file *a, const struct coverage_file *b)
{
	return a->tag_len == b->tag_len &&
	       memcmp(coverage_tag(a), coverage_tag(b), a->tag_len) == 0;
}

/* What stays is sorted, was good when it was looked at, and pairs up. */
static void check_file(const struct coverage_set *set, size_t i)
{
	const struct coverage_file *file = &set->files[i];
	struct coverage_file parsed = {0};
	size_t k;

	fuzz_expect(i == 0 || strcmp(set->files[i - 1].name, file->name) < 0);
	fuzz_expect(coverage_name_parse(file->name, &parsed));
	fuzz_expect(parsed.kind == file->kind && parsed.tag_len == file->tag_len);
	fuzz_expect(file->tag_len > 0 && !file->dropped && file->size > 0);
	for (k = 0; file->kind == COVERAGE_COUNTERS && k < set->n_files; k++)
		if (set->files[k].kind == COVERAGE_META && same_tag(file, &set->files[k]))
			return;
	fuzz_expect(file->kind == COVERAGE_META);
}

static void check_set(struct coverage_set *set, size_t made)
{
	struct error err = {0};
	size_t i;

	fuzz_expect(set->n_meta + set->n_counters == set->n_files);
	fuzz_expect(set->n_files + set->skipped <= made);
	for (i = 0; i < set->n_files; i++)
		check_file(set, i);
	if (coverage_set_check_modes(set, &err) < 0)
		fuzz_expect(err.class == ERROR_CONFLICT && set->n_meta > 1);
	while (set->n_files) {
		size_t before = set->n_files;

		coverage_set_leave_out(set, before / 2, "fuzz");
		fuzz_expect(set->n_files < before);
	}
	fuzz_expect(set->n_meta == 0 && set->n_counters == 0);
}

static void read_program(const char *name)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	char program[40];

	if (coverage_program(fd, (uint64_t)lseek(fd, 0, SEEK_END), program, sizeof program))
		fuzz_expect(strlen(program) < sizeof program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	const char *names[MAX_FILES];
	struct error err = {0};
	size_t n, i;

	if (dir_fd < 0)
		make_directory();
	n = make_files(data, size, names);
	for (i = 0; i < n; i++)
		read_program(names[i]);
	fuzz_expect(coverage_set_read(&set, dir_path, &deadline, &err) == 0);
	check_set(&set, n);
	for (i = 0; i < n; i++)
		unlinkat(dir_fd, names[i], 0);
	return 0;
}
