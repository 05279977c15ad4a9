#include "cgi/live/process/memory.h"

#include <errno.h>
#include <string.h>

#include "cgi/base/io.h"

static int read_file(const void *context, uint64_t at, void *out, size_t n, struct fault *fault)
{
	ssize_t got;

	if (at > INT64_MAX - n)
		return fault_set(fault, FAULT_UNMAPPED, "offset %#llx is beyond every file",
				 (unsigned long long)at);
	got = io_pread_full(*(const int *)context, out, n, (off_t)at);
	if (got < 0)
		return fault_set(fault, FAULT_UNMAPPED, "reading offset %#llx: %s",
				 (unsigned long long)at, strerror(errno));
	if ((size_t)got < n)
		return fault_set(fault, FAULT_UNMAPPED, "%zd of %zu bytes at offset %#llx", got, n,
				 (unsigned long long)at);
	return 0;
}

struct memory memory_of_file(const int *fd)
{
	return (struct memory){read_file, fd};
}

static int read_bytes(const void *context, uint64_t at, void *out, size_t n, struct fault *fault)
{
	const struct memory_bytes *bytes = context;
	uint64_t skip = at - bytes->base;

	if (at < bytes->base || skip > bytes->len || n > bytes->len - skip)
		return fault_set(fault, FAULT_UNMAPPED, "%zu bytes at %#llx are not all there", n,
				 (unsigned long long)at);
	memcpy(out, bytes->data + skip, n);
	return 0;
}

struct memory memory_of_bytes(const struct memory_bytes *bytes)
{
	return (struct memory){read_bytes, bytes};
}
