#include "cgi/live/snapshot/counter_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/format/coverage_format.h"
#include "cgi/base/io.h"
#include "cgi/format/uleb.h"

struct parser {
	struct cursor rest;
	bool raw, big_endian; /* how values are written */
	struct counter_file *file;
	size_t functions_room, counters_room;
};

static int senseless(struct fault *fault, const char *what)
{
	return fault_set(fault, FAULT_UNSUPPORTED, "the counter file makes no sense (%s)", what);
}

static bool take_value(struct parser *parser, uint32_t *value)
{
	uint64_t wide;

	if (!parser->raw) {
		if (!uleb_take(&parser->rest, &wide))
			return false;
		*value = (uint32_t)wide;
		return true;
	}
	if (cursor_left(&parser->rest) < 4)
		return false;
	*value = le32(parser->rest.at);
	if (parser->big_endian)
		*value = __builtin_bswap32(*value);
	parser->rest.at += 4;
	return true;
}

/* Room for n more elements of `size` bytes in *array, which has `used` of *room; -1 without memory.
 */
static int grow(void **array, size_t size, size_t used, size_t n, size_t *room)
{
	size_t want = *room ? *room : 64;
	void *bigger;

	while (want - used < n)
		want *= 2;
	if (want == *room)
		return 0;
	bigger = realloc(*array, want * size);
	if (!bigger)
		return -1;
	*array = bigger;
	*room = want;
	return 0;
}

static int take_function(struct parser *parser, struct fault *fault)
{
	struct counter_file *file = parser->file;
	struct counter_function function = {.at = file->n_counters};
	uint32_t i;

	if (!take_value(parser, &function.n) || !take_value(parser, &function.package) ||
	    !take_value(parser, &function.function))
		return senseless(fault, "it is cut off");
	/* each counter takes a byte at least: what the file claims can't make more of it */
	if (function.n > cursor_left(&parser->rest))
		return senseless(fault, "number of counters");
	if (grow((void **)&file->functions, sizeof function, file->n_functions, 1,
		 &parser->functions_room) < 0 ||
	    grow((void **)&file->counters, sizeof *file->counters, file->n_counters, function.n,
		 &parser->counters_room) < 0)
		return fault_no_memory(fault);
	for (i = 0; i < function.n; i++)
		if (!take_value(parser, &file->counters[file->n_counters++]))
			return senseless(fault, "it is cut off");
	file->functions[file->n_functions++] = function;
	return 0;
}

static int by_function(const void *a, const void *b)
{
	const struct counter_function *x = a, *y = b;

	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

/* Header and footer; *entries is the number of functions that the segment claims. */
static int open_segment(struct parser *parser, const unsigned char *data, size_t len,
			uint64_t *entries, struct fault *fault)
{
	const unsigned char *segment = data + COVCOUNTERS_HEADER_SIZE;
	uint64_t skip;

	if (len < COVCOUNTERS_HEADER_SIZE + COVCOUNTERS_SEGMENT_HEADER_SIZE +
		      COVCOUNTERS_FOOTER_SIZE ||
	    memcmp(data, COVCOUNTERS_MAGIC, 4) != 0 ||
	    le32(data + COVCOUNTERS_AT_VERSION) > COVERAGE_VERSION)
		return senseless(fault, "its header");
	if (data[COVCOUNTERS_AT_FLAVOR] != COUNTER_RAW &&
	    data[COVCOUNTERS_AT_FLAVOR] != COUNTER_ULEB)
		return senseless(fault, "its encoding");
	parser->raw = data[COVCOUNTERS_AT_FLAVOR] == COUNTER_RAW;
	parser->big_endian = data[COVCOUNTERS_AT_BIG_ENDIAN] != 0;
	*entries = le64(segment) & 0xffffffff;
	skip = COVCOUNTERS_SEGMENT_HEADER_SIZE + (uint64_t)le32(segment + 8) + le32(segment + 12);
	parser->rest = (struct cursor){segment, data + len - COVCOUNTERS_FOOTER_SIZE};
	if (skip > cursor_left(&parser->rest))
		return senseless(fault, "its tables");
	parser->rest.at += skip;
	return 0;
}

int counter_file_parse(struct counter_file *file, const unsigned char *data, size_t len,
		       struct fault *fault)
{
	struct parser parser = {.file = file};
	uint64_t entries = 0, i;

	if (open_segment(&parser, data, len, &entries, fault) < 0)
		return -1;
	for (i = 0; i < entries; i++)
		if (take_function(&parser, fault) < 0)
			return -1;
	if (file->n_functions)
		qsort(file->functions, file->n_functions, sizeof *file->functions, by_function);
	return 0;
}

int counter_file_unread(struct fault *fault, const char *name)
{
	static const int lasting[] = {ENOENT, EACCES, EPERM, ELOOP};
	int errnum = errno;
	size_t i;

	fault_set(fault, FAULT_REQUEST, "%s can't be read: %s", name, strerror(errnum));
	for (i = 0; i < sizeof lasting / sizeof *lasting; i++)
		if (errnum == lasting[i])
			fault->kind = FAULT_GONE;
	fault->class = error_is_exhaustion(errnum) ? ERROR_UNAVAILABLE : ERROR_INTERNAL;
	return -1;
}

int counter_file_read(struct counter_file *file, int dir_fd, const char *name, struct fault *fault)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup_free unsigned char *data = NULL;
	struct stat st;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) < 0)
		return counter_file_unread(fault, name);
	if (!S_ISREG(st.st_mode))
		return fault_set(fault, FAULT_GONE, "%s is not a regular file", name);
	if (st.st_size > COUNTER_FILE_MAX)
		return fault_set(fault, FAULT_UNSUPPORTED, "%s is too large", name);
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return fault_no_memory(fault);
	got = io_pread_full(fd, data, (size_t)st.st_size, 0);
	if (got < 0)
		return counter_file_unread(fault, name);
	return counter_file_parse(file, data, (size_t)got, fault);
}

static bool counters_contain(const struct counter_file *big, const struct counter_function *b,
			     const struct counter_file *small, const struct counter_function *s)
{
	uint32_t i;

	if (b->n < s->n)
		return false;
	for (i = 0; i < s->n; i++)
		if (big->counters[b->at + i] < small->counters[s->at + i])
			return false;
	return true;
}

bool counter_file_contains(const struct counter_file *big, const struct counter_file *small)
{
	size_t b = 0, s;

	for (s = 0; s < small->n_functions; s++) {
		while (b < big->n_functions &&
		       by_function(&big->functions[b], &small->functions[s]) < 0)
			b++;
		if (b == big->n_functions ||
		    by_function(&big->functions[b], &small->functions[s]) != 0 ||
		    !counters_contain(big, &big->functions[b], small, &small->functions[s]))
			return false;
	}
	return true;
}

void counter_file_free(struct counter_file *file)
{
	free(file->functions);
	free(file->counters);
	*file = COUNTER_FILE_INIT;
}
