#include "cgi/live/go/executable.h"

#include <string.h>

#include "cgi/live/go/pclntab.h"

/*
 * Where the line table may be.  A file whose sections are all there and none of them Go's is no Go
 * program; any other is looked through, since external linkers merge the section into another one
 * and some tools take the section headers away.
 */
static int find_pclntabs(struct executable *exe, const struct memory *file,
			 const struct deadline *deadline, struct fault *fault)
{
	if (exe->elf.has_sections && !exe->elf.is_go)
		return 0;
	if (exe->elf.pclntab.vaddr) {
		exe->pclntabs[exe->n_pclntabs++] = exe->elf.pclntab.vaddr;
		return 0;
	}
	return pclntab_scan(&exe->elf, file, exe->pclntabs, EXECUTABLE_MAX_PCLNTABS,
			    &exe->n_pclntabs, deadline, fault);
}

static int read_into(struct executable *exe, const struct memory *file,
		     const struct deadline *deadline, struct fault *fault)
{
	if (elf_read(&exe->elf, file, fault) < 0)
		return -1;
	if (exe->elf.kind == ELF_NOT)
		return 0;
	if (exe->elf.kind == ELF_FOREIGN)
		return build_info_search(&exe->build, file, deadline, fault);
	if (find_pclntabs(exe, file, deadline, fault) < 0)
		return -1;
	exe->is_go = exe->n_pclntabs || exe->elf.module.vaddr;
	if (!exe->is_go)
		return 0;
	return build_info_read(&exe->build, &exe->elf, file, fault);
}

struct executable *executable_read_from(const struct memory *file,
					const struct file_identity *identity,
					const struct deadline *deadline, struct fault *fault)
{
	cleanup_executable struct executable *exe = calloc(1, sizeof *exe);

	if (!exe) {
		fault_no_memory(fault);
		return NULL;
	}
	exe->identity = *identity;
	atomic_init(&exe->users, 1);
	if (read_into(exe, file, deadline, fault) < 0)
		return NULL;
	return steal_ptr(exe);
}

struct executable *executable_read(int fd, const struct file_identity *identity,
				   const struct deadline *deadline, struct fault *fault)
{
	struct memory file = memory_of_file(&fd);

	return executable_read_from(&file, identity, deadline, fault);
}

struct executable *executable_get(struct executable *exe)
{
	atomic_fetch_add(&exe->users, 1);
	return exe;
}

void executable_put(struct executable **exe)
{
	struct executable *last = *exe;

	*exe = NULL;
	if (!last || atomic_fetch_sub(&last->users, 1) != 1)
		return;
	build_info_free(&last->build);
	free(last);
}
