/*
 * A shared object as it is mapped into a process, read as if it were the file: for one that was
 * deleted or replaced since.  What is not mapped (section headers, symbols) is not there.
 */
#ifndef GOVERAGE_LIVE_GO_MAPPED_IMAGE_H
#define GOVERAGE_LIVE_GO_MAPPED_IMAGE_H

#include "cgi/live/go/elf.h"

struct mapped_image {
	const struct memory *process; /* not owned */
	uint64_t base;		      /* what is added to the file's addresses */
	struct elf elf;		      /* its segments alone */
};

/* `start` is where the beginning of the file is mapped.  -1 with a fault when no ELF file is. */
must_check int mapped_image_open(struct mapped_image *image, const struct memory *process,
				 uint64_t start, struct fault *fault);

/* Offsets in the file as addresses; *image must stay where it is. */
struct memory mapped_image_source(const struct mapped_image *image);

#endif
