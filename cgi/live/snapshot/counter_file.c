#include "cgi/live/snapshot/counter_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/array.h"
#include "cgi/base/io.h"
#include "cgi/format/covcounters.h"

/* The decoder's word for what is wrong, or no memory. */
static int senseless(struct fault *fault, const struct error *why)
{
	if (why->class != ERROR_INTERNAL)
		return fault_no_memory(fault);
	return fault_set(fault, FAULT_UNSUPPORTED, "the counter file makes no sense: it %s",
			 why->message);
}

/* The file on its way. */
struct parsing {
	struct covcounters counters;
	struct counter_file *file;
	size_t functions_room, counters_room;
};

static int take_function(struct parsing *p, const struct covcounters_entry *entry,
			 struct fault *fault)
{
	struct counter_file *file = p->file;
	struct counter_function *functions = array_grow(file->functions, &p->functions_room,
							file->n_functions, 1, sizeof *functions);
	uint32_t *counters;

	if (!functions)
		return fault_no_memory(fault);
	file->functions = functions;
	counters = array_grow(file->counters, &p->counters_room, file->n_counters,
			      (size_t)entry->n + COUNTERS_SLACK, sizeof *counters);
	if (!counters)
		return fault_no_memory(fault);
	file->counters = counters;
	counters += file->n_counters;
	memset(counters, 0, ((size_t)entry->n + COUNTERS_SLACK) * sizeof *counters);
	covcounters_add(&p->counters, entry->values, entry->n, counters);
	functions[file->n_functions++] =
	    (struct counter_function){entry->package, entry->function, entry->n, file->n_counters};
	file->n_counters += entry->n;
	return 0;
}

static int by_function(const void *a, const void *b)
{
	const struct counter_function *x = a, *y = b;

	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

int counter_file_parse(struct counter_file *file, const unsigned char *data, size_t len,
		       struct fault *fault)
{
	struct parsing p = {.file = file};
	struct covcounters_entry entry;
	struct error err = {0};
	bool newer;
	int more;

	if (covcounters_open(&p.counters, data, len, &newer, &err) < 0)
		return senseless(fault, &err);
	while ((more = covcounters_next(&p.counters, &entry, &err)) > 0)
		if (take_function(&p, &entry, fault) < 0)
			return -1;
	if (more < 0)
		return senseless(fault, &err);
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
