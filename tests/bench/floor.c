/*
 * floor DIRECTORY: the least that anybody has to do who reads a directory of counter files: decode
 * each number in them, once, in one thread.  Prints how many counters there were and their sum, so
 * that no compiler can leave the work out.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 32, SEGMENT_HEADER = 16, MAX_FILE = 64 << 20 };

static unsigned char bytes[MAX_FILE];
static uint64_t counters, sum;

static const unsigned char *decode(const unsigned char *at, const unsigned char *end,
				   uint64_t *value)
{
	unsigned shift = 0;

	for (*value = 0; at < end; shift += 7) {
		*value |= (uint64_t)(*at & 0x7f) << shift;
		if (*at++ < 0x80)
			break;
	}
	return at;
}

static void decode_file(size_t size)
{
	const unsigned char *at = bytes + HEADER, *end = bytes + size;
	uint64_t entries, number, value;
	uint32_t strings, arguments;

	memcpy(&entries, at, sizeof entries);
	memcpy(&strings, at + 8, sizeof strings);
	memcpy(&arguments, at + 12, sizeof arguments);
	for (at += SEGMENT_HEADER + strings + arguments; entries && at < end; entries--) {
		at = decode(at, end, &number);
		at = decode(at, end, &value);
		at = decode(at, end, &value);
		for (counters += number; number && at < end; number--) {
			at = decode(at, end, &value);
			sum += value;
		}
	}
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;

	if (!dir)
		return 1;
	while ((entry = readdir(dir))) {
		int fd = strncmp(entry->d_name, "covcounters.", 12) == 0
			     ? openat(dirfd(dir), entry->d_name, O_RDONLY)
			     : -1;
		ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);

		if (size > HEADER + SEGMENT_HEADER)
			decode_file((size_t)size);
		if (fd >= 0)
			close(fd);
	}
	printf("%llu counters, sum %llu\n", (unsigned long long)counters, (unsigned long long)sum);
	return closedir(dir);
}
