#include "cgi/live/go/mapped_image.h"

enum { PAGE = 4096 };

/* As long as the segments are not known: the first page, where the headers are. */
struct first_page {
	const struct memory *process;
	uint64_t start;
};

static int read_first_page(const void *context, uint64_t at, void *out, size_t n,
			   struct fault *fault)
{
	const struct first_page *page = context;

	if (at > PAGE || n > PAGE - at)
		return fault_set(fault, FAULT_UNMAPPED, "only the first page is known");
	return memory_read(page->process, page->start + at, out, n, fault);
}

int mapped_image_open(struct mapped_image *image, const struct memory *process, uint64_t start,
		      struct fault *fault)
{
	struct first_page page = {process, start};
	struct memory source = {read_first_page, &page};

	image->process = process;
	if (elf_read(&image->elf, &source, fault) < 0)
		return -1;
	if (image->elf.kind != ELF_64_LE || image->elf.n_loads == 0)
		return fault_set(fault, FAULT_UNSUPPORTED, "no ELF file is mapped there");
	image->base = start - (image->elf.loads[0].vaddr & ~(uint64_t)(PAGE - 1));
	return 0;
}

static int read_image(const void *context, uint64_t at, void *out, size_t n, struct fault *fault)
{
	const struct mapped_image *image = context;
	unsigned i;

	for (i = 0; i < image->elf.n_loads; i++) {
		const struct elf_segment *s = &image->elf.loads[i];

		if (at >= s->offset && at - s->offset <= s->file_size &&
		    n <= s->file_size - (at - s->offset))
			return memory_read(image->process,
					   image->base + s->vaddr + (at - s->offset), out, n,
					   fault);
	}
	return fault_set(fault, FAULT_UNMAPPED, "offset %#llx is not mapped",
			 (unsigned long long)at);
}

struct memory mapped_image_source(const struct mapped_image *image)
{
	return (struct memory){read_image, image};
}
