/* Run a fuzz target once over each of its seed files.  Prints TAP. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/io.h"

enum { SEED_MAX = 1 << 20 };

static int replay_file(int dir_fd, const char *name)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	cleanup_free uint8_t *data = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SEED_MAX)
		return -1;
	data = malloc((size_t)st.st_size + 1);
	if (!data || io_read_full(fd, data, (size_t)st.st_size) != st.st_size)
		return -1;
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	return 0;
}

static int replay_directory(const char *path, int *n)
{
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay_file(dirfd(dir), entry->d_name) < 0)
			return -1;
		printf("ok %d - %s\n", ++*n, entry->d_name);
	}
	return 0;
}

/* The seeds of fuzz_NAME lie in tests/fuzz/seeds/NAME below the source directory. */
static void seed_directory(char *out, size_t room, const char *program)
{
	const char *source = getenv("srcdir"), *name = strrchr(program, '/');

	name = name ? name + 1 : program;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(out, room, "%s/tests/fuzz/seeds/%s", source ? source : ".", name);
}

int main(int argc, char **argv)
{
	char seeds[4096];
	int n = 0;

	(void)argc;
	seed_directory(seeds, sizeof seeds, argv[0]);
	if (replay_directory(seeds, &n) < 0)
		printf("not ok %d - seeds in %s\n", ++n, seeds);
	printf("1..%d\n", n);
	return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
