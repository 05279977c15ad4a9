/* The files that a process has mapped, from /proc/PID/maps: its executable and its shared objects.
 */
#ifndef GOVERAGE_LIVE_MAPS_H
#define GOVERAGE_LIVE_MAPS_H

#include "cgi/live/process.h"

enum { MAPS_MAX_BYTES = 16 << 20, MAPS_MAX_FILES = 4096 };

struct mapped_file {
	uint64_t start; /* where the file's beginning is mapped */
	uint64_t dev,
	    inode;  /* as the kernel tells them; on stacked file systems not those of stat(2) */
	char *path; /* owned; as the kernel tells it, " (deleted)" included */
};

struct mapped_files {
	struct mapped_file *files; /* owned; by address */
	size_t n;
};

#define MAPPED_FILES_INIT ((struct mapped_files){0})

/* Read them: each mapping of the beginning of a file.  -1: FAULT_GONE, FAULT_DENIED, FAULT_REQUEST.
 */
must_check int maps_read(struct mapped_files *mapped, const struct process *process,
			 struct fault *fault);

/* Take a maps file apart; a line of another form is skipped. */
must_check int maps_parse(struct mapped_files *mapped, const char *text, size_t len,
			  struct fault *fault);

void maps_free(struct mapped_files *mapped);

#define cleanup_maps cleanup_with(maps_free)

#endif
