#include "cgi/live/go/moduledata.h"

#include <string.h>

#include "cgi/format/coverage_format.h"
#include "cgi/live/go/pclntab.h"

enum {
	WORD = 8,
	W_PCLNTAB = 0,
	W_MINPC = 20,
	W_MAXPC,
	W_TEXT,
	W_ETEXT,
	W_BSS = 28,
	W_EBSS,
	W_NOPTRBSS,
	W_ENOPTRBSS,
	W_COVCTRS,
	W_ECOVCTRS,
	W_END,
	CHUNK = 256 << 10,
};

static const uint64_t search_max = 256ULL << 20; /* bytes of data segments */

static bool ordered(const uint64_t *w)
{
	return w[W_TEXT] <= w[W_MINPC] && w[W_MINPC] < w[W_MAXPC] && w[W_MAXPC] <= w[W_ETEXT] &&
	       w[W_BSS] <= w[W_EBSS] && w[W_NOPTRBSS] <= w[W_COVCTRS] &&
	       w[W_COVCTRS] <= w[W_ECOVCTRS] && w[W_ECOVCTRS] <= w[W_ENOPTRBSS] &&
	       w[W_ENOPTRBSS] <= w[W_END] && w[W_END] >> 56 == 0 && w[W_EBSS] >> 56 == 0;
}

/* The structure ends behind its link; its length depends on the release, and memory may end with
 * it. */
static int read_links(struct moduledata *module, const struct memory *process, struct fault *fault)
{
	static const unsigned ends[] = {MODULEDATA_LINK_END, 74, 73, 71};
	unsigned char bytes[(MODULEDATA_LINK_END - MODULEDATA_LINK_FIRST) * WORD];
	unsigned i, k;

	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		unsigned n = ends[i] - MODULEDATA_LINK_FIRST;

		if (memory_read(process, module->address + MODULEDATA_LINK_FIRST * WORD, bytes,
				n * WORD, fault) == 0) {
			for (k = 0; k < n; k++)
				module->links[k] = le64(bytes + k * WORD);
			module->n_links = n;
			return 0;
		}
		if (fault->kind != FAULT_UNMAPPED)
			return -1;
	}
	return 0;
}

/* Does module data lie at this address?  1, 0, -1. */
static int test_at(struct moduledata *module, uint64_t address, const struct memory *process,
		   struct fault *fault)
{
	unsigned char bytes[MODULEDATA_WORDS * WORD], header[PCLNTAB_HEADER_SIZE];
	uint64_t w[MODULEDATA_WORDS];
	unsigned i;

	if (memory_read(process, address, bytes, sizeof bytes, fault) < 0)
		return fault->kind == FAULT_UNMAPPED ? 0 : -1;
	for (i = 0; i < MODULEDATA_WORDS; i++)
		w[i] = le64(bytes + i * WORD);
	if (!ordered(w))
		return 0;
	if (memory_read(process, w[W_PCLNTAB], header, sizeof header, fault) < 0)
		return fault->kind == FAULT_UNMAPPED ? 0 : -1;
	if (!pclntab_is_header(header))
		return 0;
	*module = (struct moduledata){.address = address,
				      .bss = w[W_BSS],
				      .ebss = w[W_EBSS],
				      .noptrbss = w[W_NOPTRBSS],
				      .enoptrbss = w[W_ENOPTRBSS],
				      .covctrs = w[W_COVCTRS],
				      .ecovctrs = w[W_ECOVCTRS]};
	return read_links(module, process, fault) < 0 ? -1 : 1;
}

static bool is_pclntab(const struct executable *exe, uint64_t bias, uint64_t word)
{
	unsigned i;

	for (i = 0; i < exe->n_pclntabs; i++)
		if (exe->pclntabs[i] + bias == word)
			return true;
	return false;
}

static int search_chunk(struct moduledata *module, const struct executable *exe, uint64_t bias,
			const unsigned char *data, size_t n, uint64_t address,
			const struct memory *process, struct fault *fault)
{
	size_t at;

	for (at = 0; at + WORD <= n; at += WORD) {
		int found;

		if (!is_pclntab(exe, bias, le64(data + at)))
			continue;
		found = test_at(module, address + at, process, fault);
		if (found)
			return found;
	}
	return 0;
}

static int search_segment(struct moduledata *module, const struct executable *exe, uint64_t bias,
			  const struct elf_segment *s, unsigned char *data,
			  const struct memory *process, const struct deadline *deadline,
			  struct fault *fault)
{
	uint64_t at = (s->vaddr + bias + WORD - 1) & ~(uint64_t)(WORD - 1);
	uint64_t end = s->vaddr + bias + s->file_size;

	if (end - (s->vaddr + bias) > search_max)
		end = s->vaddr + bias + search_max;
	while (at < end) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		int found;

		if (fault_check_deadline(deadline, fault) < 0)
			return -1;
		if (memory_read(process, at, data, n, fault) < 0)
			return fault->kind == FAULT_UNMAPPED ? 0 : -1;
		found = search_chunk(module, exe, bias, data, n, at, process, fault);
		if (found)
			return found;
		at += n;
	}
	return 0;
}

static int search(struct moduledata *module, const struct executable *exe, uint64_t bias,
		  const struct memory *process, const struct deadline *deadline,
		  struct fault *fault)
{
	cleanup_free unsigned char *data = malloc(CHUNK);
	int found = 0;
	unsigned i;

	if (!data)
		return fault_no_memory(fault);
	for (i = 0; i < exe->elf.n_loads && !found; i++)
		if (exe->elf.loads[i].writable)
			found = search_segment(module, exe, bias, &exe->elf.loads[i], data, process,
					       deadline, fault);
	return found;
}

int moduledata_find(struct moduledata *module, struct executable *exe, uint64_t bias,
		    const struct memory *process, const struct deadline *deadline,
		    struct fault *fault)
{
	uint64_t hint = atomic_load(&exe->module_hint);
	int found = 0;

	if (hint)
		found = test_at(module, hint + bias, process, fault);
	if (!found && exe->elf.module.vaddr)
		found = test_at(module, exe->elf.module.vaddr + bias, process, fault);
	if (!found)
		found = search(module, exe, bias, process, deadline, fault);
	if (found > 0)
		atomic_store(&exe->module_hint, module->address - bias);
	return found;
}

bool moduledata_links_to(const struct moduledata *module, const struct moduledata *other)
{
	unsigned i;

	for (i = 0; i < module->n_links; i++)
		if (module->links[i] == other->address)
			return true;
	return false;
}
