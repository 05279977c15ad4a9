#include "cgi/live/go/pclntab.h"

#include <string.h>

enum { CHUNK = 256 << 10 };

static const uint64_t scan_max = 1ULL << 30;

bool pclntab_is_header(const unsigned char *bytes)
{
	static const unsigned char magic[] = {0xf1, 0xff, 0xff, 0xff, 0, 0};

	return memcmp(bytes, magic, sizeof magic) == 0 &&
	       (bytes[6] == 1 || bytes[6] == 2 || bytes[6] == 4) && bytes[7] == 8;
}

struct scan {
	uint64_t *found;
	unsigned room, n;
	uint64_t left; /* bytes that may still be looked at */
};

static void scan_chunk(struct scan *scan, const unsigned char *data, size_t n, uint64_t vaddr)
{
	size_t at = (size_t)(-vaddr & (PCLNTAB_HEADER_SIZE - 1));

	for (; at + PCLNTAB_HEADER_SIZE <= n && scan->n < scan->room; at += PCLNTAB_HEADER_SIZE)
		if (data[at] == 0xf1 && pclntab_is_header(data + at))
			scan->found[scan->n++] = vaddr + at;
}

/* Chunks are a multiple of the step, so that no header lies across two of them. */
static int scan_segment(struct scan *scan, const struct elf_segment *s, const struct memory *file,
			unsigned char *data, const struct deadline *deadline, struct fault *fault)
{
	struct fault unreadable = FAULT_INIT;
	uint64_t at = -s->vaddr & (PCLNTAB_HEADER_SIZE - 1);

	while (at < s->file_size && scan->left) {
		size_t n = s->file_size - at < CHUNK ? (size_t)(s->file_size - at) : CHUNK;

		if (fault_check_deadline(deadline, fault) < 0)
			return -1;
		if (memory_read(file, s->offset + at, data, n, &unreadable) < 0)
			return 0;
		scan_chunk(scan, data, n, s->vaddr + at);
		at += n;
		scan->left -= n < scan->left ? n : scan->left;
	}
	return 0;
}

int pclntab_scan(const struct elf *elf, const struct memory *file, uint64_t *found, unsigned room,
		 unsigned *n_found, const struct deadline *deadline, struct fault *fault)
{
	cleanup_free unsigned char *data = malloc(CHUNK);
	struct scan scan = {found, room, 0, scan_max};
	unsigned i;

	if (!data)
		return fault_no_memory(fault);
	for (i = 0; i < elf->n_loads; i++)
		if (scan_segment(&scan, &elf->loads[i], file, data, deadline, fault) < 0)
			return -1;
	*n_found = scan.n;
	return 0;
}
