/* Whose coverage is it: one string out of a meta-data file. */
#include <string.h>

#include "cgi/base/io.h"
#include "cgi/directory/coverage_screen.h"
#include "cgi/format/byte_reader.h"

/* String number `index` of a piece of a package's string table, cut to `room`. */
static bool take_string(struct byte_reader piece, uint32_t index, char *out, size_t room)
{
	uint64_t count = byte_reader_uleb(&piece), len = 0, i;
	const uint8_t *text = NULL;

	if (index >= count || room == 0)
		return false;
	for (i = 0; i <= index && !piece.failed; i++) {
		len = byte_reader_uleb(&piece);
		text = byte_reader_take(&piece, len);
	}
	if (!text)
		return false;
	if (len > room - 1)
		len = room - 1;
	memcpy(out, text, len);
	out[len] = '\0';
	return len > 0;
}

static bool find_last_blob(int fd, uint64_t size, uint64_t *offset)
{
	unsigned char head[COVMETA_HEADER_SIZE], entry[8];
	uint64_t packages;

	if (io_pread_full(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return false;
	packages = le64(head + COVMETA_AT_PACKAGES);
	if (memcmp(head, COVMETA_MAGIC, 4) != 0 || packages == 0 ||
	    packages > COVERAGE_MAX_PACKAGES)
		return false;
	if (io_pread_full(fd, entry, sizeof entry,
			  (off_t)(COVMETA_HEADER_SIZE + (packages - 1) * 8)) !=
	    (ssize_t)sizeof entry)
		return false;
	*offset = le64(entry);
	return *offset <= size;
}

bool coverage_program(int fd, uint64_t size, char *out, size_t room)
{
	unsigned char blob[COVBLOB_HEADER_SIZE], piece[4096];
	uint64_t offset;
	ssize_t n;

	if (!find_last_blob(fd, size, &offset))
		return false;
	if (io_pread_full(fd, blob, sizeof blob, (off_t)offset) != (ssize_t)sizeof blob)
		return false;
	offset += sizeof blob + (uint64_t)le32(blob + COVBLOB_AT_FUNCTIONS) * 4;
	if (offset > size)
		return false;
	n = io_pread_full(fd, piece, sizeof piece, (off_t)offset);
	if (n <= 0)
		return false;
	return take_string(byte_reader_on(piece, (size_t)n), le32(blob + COVBLOB_AT_IMPORT_PATH),
			   out, room);
}

/* What lies behind the last slash of n bytes. */
static const char *last_element(const char *path, size_t n, size_t *len)
{
	const char *slash = memrchr(path, '/', n);
	const char *element = slash ? slash + 1 : path;

	*len = (size_t)(path + n - element);
	return element;
}

/* "v2" and above: "v" and a number without leading zero that is not 1. */
static bool is_major_version(const char *element, size_t n)
{
	size_t i;

	if (n < 2 || element[0] != 'v' || element[1] == '0' || (n == 2 && element[1] == '1'))
		return false;
	for (i = 1; i < n; i++)
		if (element[i] < '0' || element[i] > '9')
			return false;
	return true;
}

void program_name_of_import_path(const char *path, size_t n, struct buffer *name)
{
	size_t len;
	const char *element = last_element(path, n, &len);

	if (element > path && is_major_version(element, len))
		element = last_element(path, (size_t)(element - path) - 1, &len);
	buffer_append(name, element, len);
}
