/*
 * Programs as they stand in the memory of a process, whatever its file says: packed ones, of which
 * the file has but a stub that unpacks them, and such whose sections were renamed.  What lies side
 * by side in the address space is taken for one image; there are neither headers nor sections.
 */
#ifndef GOVERAGE_LIVE_GO_MEMORY_IMAGE_H
#define GOVERAGE_LIVE_GO_MEMORY_IMAGE_H

#include "cgi/live/go/executable.h"
#include "cgi/live/process/maps.h"

enum { MEMORY_IMAGES_MAX = 256 }; /* of one process that are looked at */

struct memory_image {
	uint64_t start; /* of its first mapping; the addresses below are relative to it */
	struct elf_segment parts[ELF_MAX_SEGMENTS];
	unsigned n;
};

struct memory_images {
	struct memory_image *list; /* owned; by address */
	unsigned n;
};

#define MEMORY_IMAGES_INIT ((struct memory_images){0})

/* Find them.  -1: FAULT_GONE, FAULT_DENIED, FAULT_REQUEST. */
must_check int memory_images_read(struct memory_images *images, const struct process *process,
				  struct fault *fault);

/* The same from the text of a maps file. */
must_check int memory_images_parse(struct memory_images *images, const char *text, size_t len,
				   struct fault *fault);

/* An image as a source of bytes: addresses as in it.  *view must stay where it is. */
struct memory_view {
	const struct memory *process; /* not owned */
	uint64_t start;
};
struct memory memory_view_source(const struct memory_view *view);

/*
 * The Go program in an image: a new executable with one user and the given identity, whose load
 * bias is image->start.  NULL with fault->kind FAULT_NONE when it holds no line table of Go's;
 * `machine` is the e_machine of the process's executable.
 */
must_check struct executable *memory_image_executable(const struct memory_image *image,
						      const struct memory *process,
						      const struct file_identity *identity,
						      uint16_t machine,
						      const struct deadline *deadline,
						      struct fault *fault);

void memory_images_free(struct memory_images *images);

#define cleanup_memory_images cleanup_with(memory_images_free)

#endif
