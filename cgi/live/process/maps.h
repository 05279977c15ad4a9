/* The files that a process has mapped, from /proc/PID/maps: its executable and its shared
 * objects. */
#ifndef GOVERAGE_LIVE_PROCESS_MAPS_H
#define GOVERAGE_LIVE_PROCESS_MAPS_H

#include "cgi/live/process/process.h"

enum { MAPS_MAX_BYTES = 16 << 20, MAPS_MAX_FILES = 4096 };

struct mapping {
	uint64_t start, end;
	uint64_t offset, dev, inode; /* of a file; zeros where there is none */
	bool readable, writable, executable, shared;
	const char *name; /* a path, "[heap]" and the like, or "" */
};

/*
 * Take a maps file apart, line by line; a line of another form is skipped.  What `see` returns ends
 * it unless that is 0, and is handed on.
 */
must_check int maps_walk(const char *text, size_t len,
			 int (*see)(const struct mapping *mapping, void *context), void *context);

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

/* Read them: each mapping of the beginning of a file.  -1: FAULT_GONE, FAULT_DENIED,
 * FAULT_REQUEST. */
must_check int maps_read(struct mapped_files *mapped, const struct process *process,
			 struct fault *fault);

/* The same from its text. */
must_check int maps_parse(struct mapped_files *mapped, const char *text, size_t len,
			  struct fault *fault);

void maps_free(struct mapped_files *mapped);

#define cleanup_maps cleanup_with(maps_free)

#endif
