#include "cgi/live/find/modules.h"

#include <errno.h>
#include <string.h>

#include "cgi/live/go/mapped_image.h"
#include "cgi/live/go/memory_image.h"
#include "cgi/live/process/process_root.h"

enum { FIRST_PAGE = 4096 };

struct finder {
	struct modules *modules;
	struct live_cache *cache;
	const struct process *process;
	const struct memory *memory;
	const struct deadline *deadline;
	struct fault *fault;
};

static int cannot_look(const struct executable *exe, struct fault *fault)
{
	if (exe->elf.kind == ELF_FOREIGN)
		return fault_set(fault, FAULT_UNSUPPORTED,
				 "it is a %s program: only 64-bit little-endian ones can be read",
				 exe->elf.foreign);
	return fault_set(fault, FAULT_UNSUPPORTED,
			 "its module data were not found (%s lays them out in an unknown way)",
			 exe->build.go_version ? exe->build.go_version : "its Go release");
}

/* The executable is among the mapped files again. */
static bool is_known(const struct modules *modules, const struct moduledata *data)
{
	unsigned i;

	for (i = 0; i < modules->n; i++)
		if (modules->list[i].data.address == data->address)
			return true;
	return false;
}

/* Add the module when it is Go's.  exe and path are taken over in any case. */
static int add_module(const struct finder *f, struct executable *exe_taken, char *path_taken,
		      uint64_t bias)
{
	cleanup_executable struct executable *exe = exe_taken;
	cleanup_free char *path = path_taken;
	struct module *module = &f->modules->list[f->modules->n];
	int found = 0;

	if (f->modules->n == MODULES_MAX)
		return 0;
	if (exe->is_go)
		found = moduledata_find(&module->data, exe, bias, f->memory, f->deadline, f->fault);
	if (found < 0)
		return -1;
	if (!found)
		return exe->build.cover ? cannot_look(exe, f->fault) : 0;
	if (is_known(f->modules, &module->data))
		return 0;
	module->exe = steal_ptr(exe);
	module->path = steal_ptr(path);
	module->bias = bias;
	f->modules->n++;
	return 0;
}

static int add_executable(const struct finder *f, bool *dynamic)
{
	const struct process *process = f->process;
	struct executable *exe = cache_find_executable(f->cache, &process->exe);
	uint64_t bias = 0;

	if (!exe) {
		cleanup_fd int fd = process_open_executable(process, f->fault);

		if (fd < 0)
			return -1;
		exe = cache_executable(f->cache, fd, &process->exe, f->deadline, f->fault);
	}
	if (!exe)
		return -1;
	*dynamic = exe->elf.dynamic;
	if (exe->elf.position_independent)
		bias = process->stat.start_code - elf_start_code(&exe->elf);
	return add_module(f, exe, NULL, bias);
}

/*
 * Open the file that is mapped at file->start, if its path still leads to it: its first page tells
 * (with the build id in it).  Device and inode don't: stacked file systems have two of each.
 * first_page NULL: there is nothing to compare with.
 */
static int open_mapped(const struct finder *f, const struct mapped_file *file,
		       const unsigned char *first_page, struct stat *st)
{
	unsigned char page[FIRST_PAGE];
	cleanup_fd int path_fd = process_open_path(f->process->dir_fd, file->path);
	cleanup_fd int fd = path_fd < 0 ? -1 : open_regular(path_fd);
	struct fault ignored = FAULT_INIT;
	struct memory source;

	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	source = memory_of_file(&fd);
	if (first_page && (memory_read(&source, 0, page, sizeof page, &ignored) < 0 ||
			   memcmp(page, first_page, sizeof page) != 0))
		return -1;
	return steal_fd(&fd);
}

/* The memory may not be read: that is worth telling only of a process that has a Go library. */
static int see_denied(const struct finder *f, const struct mapped_file *file)
{
	struct stat st;
	cleanup_fd int fd = open_mapped(f, file, NULL, &st);
	cleanup_executable struct executable *exe = NULL;
	struct fault ignored = FAULT_INIT;
	struct file_identity identity;

	if (fd < 0)
		return 0;
	identity = file_identity_of(&st);
	exe = cache_executable(f->cache, fd, &identity, f->deadline, &ignored);
	return exe && exe->is_go ? -1 : 0;
}

/* A file that was deleted or replaced is read from where it is mapped. */
static struct executable *read_image(const struct finder *f, const struct mapped_file *file)
{
	struct file_identity none = {0};
	struct mapped_image image;
	struct memory source;

	if (mapped_image_open(&image, f->memory, file->start, f->fault) < 0)
		return NULL;
	source = mapped_image_source(&image);
	return executable_read_from(&source, &none, f->deadline, f->fault);
}

static struct executable *read_library(const struct finder *f, const struct mapped_file *file,
				       const unsigned char *first_page)
{
	struct stat st;
	cleanup_fd int fd = open_mapped(f, file, first_page, &st);
	struct file_identity identity;

	if (fd < 0)
		return read_image(f, file);
	identity = file_identity_of(&st);
	return cache_executable(f->cache, fd, &identity, f->deadline, f->fault);
}

static uint64_t first_vaddr(const struct elf *elf)
{
	return elf->n_loads ? elf->loads[0].vaddr & ~(uint64_t)(FIRST_PAGE - 1) : 0;
}

/* What makes no sense, or is not mapped (any more), is no Go library. */
static int see_library(const struct finder *f, const struct mapped_file *file)
{
	unsigned char first_page[FIRST_PAGE];
	struct executable *exe;
	char *path;

	if (cache_is_plain(f->cache, file))
		return 0;
	if (memory_read(f->memory, file->start, first_page, sizeof first_page, f->fault) < 0) {
		if (f->fault->kind == FAULT_DENIED)
			return see_denied(f, file);
		return f->fault->kind == FAULT_UNMAPPED ? 0 : -1;
	}
	if (memcmp(first_page, "\177ELF", 4) != 0)
		return 0;
	exe = read_library(f, file, first_page);
	if (!exe)
		return f->fault->kind == FAULT_UNMAPPED || f->fault->kind == FAULT_UNSUPPORTED ? 0
											       : -1;
	if (!exe->is_go) {
		executable_put(&exe);
		cache_add_plain(f->cache, file);
		return 0;
	}
	path = strdup(file->path);
	if (!path) {
		executable_put(&exe);
		return fault_no_memory(f->fault);
	}
	return add_module(f, exe, path, file->start - first_vaddr(&exe->elf));
}

static int add_libraries(const struct finder *f)
{
	cleanup_maps struct mapped_files mapped = MAPPED_FILES_INIT;
	size_t i;

	if (maps_read(&mapped, f->process, f->fault) < 0)
		return -1;
	for (i = 0; i < mapped.n; i++) {
		if (fault_check_deadline(f->deadline, f->fault) < 0 ||
		    see_library(f, &mapped.files[i]) < 0)
			return -1;
	}
	return 0;
}

/*
 * What is kept of a packed program: it is the same in all processes that run the file.  No file has
 * this size.
 */
static struct file_identity unpacked(const struct file_identity *file)
{
	struct file_identity identity = *file;

	identity.size = UINT64_MAX;
	return identity;
}

/* The program of the image, if it is Go's and not known to be another one; taken over. */
static int add_image(const struct finder *f, const struct memory_image *image, uint16_t machine)
{
	struct file_identity identity = unpacked(&f->process->exe);
	struct executable *exe = cache_find_executable(f->cache, &identity);
	unsigned before = f->modules->n;

	if (exe && add_module(f, exe, NULL, image->start) < 0)
		return -1;
	if (f->modules->n > before)
		return 0;
	exe = memory_image_executable(image, f->memory, &identity, machine, f->deadline, f->fault);
	if (!exe)
		return f->fault->kind == FAULT_NONE || f->fault->kind == FAULT_UNMAPPED ? 0 : -1;
	executable_get(exe);
	if (add_module(f, exe, NULL, image->start) == 0 && f->modules->n > before)
		cache_add_executable(f->cache, exe);
	executable_put(&exe);
	return f->modules->n > before || f->fault->kind != FAULT_REQUEST ? 0 : -1;
}

int modules_find_unpacked(struct modules *modules, struct live_cache *cache,
			  const struct process *process, const struct memory *memory,
			  const struct deadline *deadline, struct fault *fault)
{
	struct finder f = {modules, cache, process, memory, deadline, fault};
	cleanup_memory_images struct memory_images images = MEMORY_IMAGES_INIT;
	cleanup_executable struct executable *stub = cache_find_executable(cache, &process->exe);
	unsigned i;

	if (memory_images_read(&images, process, fault) < 0)
		return -1;
	for (i = 0; i < images.n && !modules->n; i++)
		if (add_image(&f, &images.list[i], stub ? stub->elf.machine : 0) < 0)
			return -1;
	return 0;
}

int modules_find(struct modules *modules, struct live_cache *cache, const struct process *process,
		 const struct memory *memory, const struct deadline *deadline, struct fault *fault)
{
	struct finder f = {modules, cache, process, memory, deadline, fault};
	bool dynamic = false;

	modules->list = calloc(MODULES_MAX, sizeof *modules->list);
	if (!modules->list)
		return fault_no_memory(fault);
	if (add_executable(&f, &dynamic) < 0)
		return -1;
	return dynamic ? add_libraries(&f) : 0;
}

bool modules_have_counters(const struct modules *modules)
{
	unsigned i;

	for (i = 0; i < modules->n; i++)
		if (modules->list[i].data.covctrs != modules->list[i].data.ecovctrs)
			return true;
	return false;
}

bool modules_is_plugin(const struct modules *modules, unsigned i)
{
	unsigned k;

	for (k = 0; k < modules->n; k++)
		if (k != i && moduledata_links_to(&modules->list[k].data, &modules->list[i].data))
			return true;
	return false;
}

int modules_next(const struct modules *modules, unsigned i)
{
	unsigned k;

	for (k = 0; k < modules->n; k++)
		if (k != i && moduledata_links_to(&modules->list[i].data, &modules->list[k].data))
			return (int)k;
	return -1;
}

void modules_free(struct modules *modules)
{
	unsigned i;

	for (i = 0; i < modules->n; i++) {
		executable_put(&modules->list[i].exe);
		free(modules->list[i].path);
	}
	free(modules->list);
	*modules = MODULES_INIT;
}
