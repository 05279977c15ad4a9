#include "cgi/live/go/memory_image.h"

#include <string.h>

#include "cgi/live/go/pclntab.h"

static const uint64_t part_max = 512ULL << 20; /* bytes; a larger mapping is no part of a program */
static const uint64_t gap_max = 1 << 20;       /* between the parts of one image */

struct collecting {
	struct memory_images *images;
	struct fault *fault;
};

/* Memory that a program is made of, and not what it has asked for while it ran. */
static bool is_part(const struct mapping *m)
{
	return m->readable && !m->shared && m->end - m->start <= part_max && *m->name != '[';
}

static struct memory_image *new_image(const struct collecting *c, uint64_t start)
{
	struct memory_images *images = c->images;
	struct memory_image *list;

	if (images->n % 8 == 0) {
		list = realloc(images->list, (images->n + 8) * sizeof *list);
		if (!list) {
			fault_no_memory(c->fault);
			return NULL;
		}
		images->list = list;
	}
	list = &images->list[images->n++];
	list->start = start;
	list->n = 0;
	return list;
}

static bool continues(const struct memory_image *image, uint64_t start)
{
	const struct elf_segment *last = &image->parts[image->n - 1];

	return image->n < ELF_MAX_SEGMENTS &&
	       start - (image->start + last->vaddr + last->mem_size) <= gap_max;
}

static int add_part(const struct mapping *m, void *context)
{
	const struct collecting *c = context;
	struct memory_image *image = c->images->n ? &c->images->list[c->images->n - 1] : NULL;
	uint64_t size = m->end - m->start;

	if (!is_part(m) || m->end >> 56)
		return 0;
	if (!image || !continues(image, m->start)) {
		if (c->images->n == MEMORY_IMAGES_MAX)
			return 0;
		image = new_image(c, m->start);
	}
	if (!image)
		return -1;
	image->parts[image->n++] = (struct elf_segment){.vaddr = m->start - image->start,
							.mem_size = size,
							.offset = m->start - image->start,
							.file_size = size,
							.writable = m->writable,
							.executable = m->executable};
	return 0;
}

int memory_images_parse(struct memory_images *images, const char *text, size_t len,
			struct fault *fault)
{
	struct collecting collecting = {images, fault};

	return maps_walk(text, len, add_part, &collecting);
}

int memory_images_read(struct memory_images *images, const struct process *process,
		       struct fault *fault)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	if (process_read_pages(process->dir_fd, "maps", &text, MAPS_MAX_BYTES) < 0)
		return fault_from_errno(fault, "its memory map");
	return memory_images_parse(images, buffer_str(&text), text.len, fault);
}

static int read_view(const void *context, uint64_t at, void *out, size_t n, struct fault *fault)
{
	const struct memory_view *view = context;

	return memory_read(view->process, view->start + at, out, n, fault);
}

struct memory memory_view_source(const struct memory_view *view)
{
	return (struct memory){read_view, view};
}

/* Line tables are read-only as a rule; relocated ones may lie among the data. */
static int find_pclntabs(struct executable *exe, bool writable, const struct memory *memory,
			 const struct deadline *deadline, struct fault *fault)
{
	struct elf some = exe->elf;
	unsigned i;

	some.n_loads = 0;
	for (i = 0; i < exe->elf.n_loads; i++)
		if (exe->elf.loads[i].writable == writable)
			some.loads[some.n_loads++] = exe->elf.loads[i];
	return pclntab_scan(&some, memory, exe->pclntabs, EXECUTABLE_MAX_PCLNTABS, &exe->n_pclntabs,
			    deadline, fault);
}

static int understand(struct executable *exe, const struct memory *memory,
		      const struct deadline *deadline, struct fault *fault)
{
	if (find_pclntabs(exe, false, memory, deadline, fault) < 0)
		return -1;
	if (!exe->n_pclntabs && find_pclntabs(exe, true, memory, deadline, fault) < 0)
		return -1;
	exe->is_go = exe->n_pclntabs > 0;
	return exe->is_go ? build_info_read(&exe->build, &exe->elf, memory, fault) : 0;
}

struct executable *memory_image_executable(const struct memory_image *image,
					   const struct memory *process,
					   const struct file_identity *identity, uint16_t machine,
					   const struct deadline *deadline, struct fault *fault)
{
	cleanup_executable struct executable *exe = calloc(1, sizeof *exe);
	struct memory_view view = {process, image->start};
	struct memory memory = memory_view_source(&view);

	if (!exe) {
		fault_no_memory(fault);
		return NULL;
	}
	exe->identity = *identity;
	atomic_init(&exe->users, 1);
	exe->elf.kind = ELF_64_LE;
	exe->elf.machine = machine;
	exe->elf.n_loads = image->n;
	memcpy(exe->elf.loads, image->parts, image->n * sizeof *image->parts);
	*fault = FAULT_INIT;
	if (understand(exe, &memory, deadline, fault) < 0 || !exe->is_go)
		return NULL;
	return steal_ptr(exe);
}

void memory_images_free(struct memory_images *images)
{
	free(images->list);
	*images = MEMORY_IMAGES_INIT;
}
