/*
 * What has been learnt about executables and programs, kept by the persistent process from request
 * to request.  Bounded: the entries that were used least recently make room.  Safe for any number
 * of threads.
 */
#ifndef GOVERAGE_LIVE_FIND_EXECUTABLE_CACHE_H
#define GOVERAGE_LIVE_FIND_EXECUTABLE_CACHE_H

#include "cgi/live/find/evidence_files.h"
#include "cgi/live/find/plain_processes.h"
#include "cgi/live/go/executable.h"
#include "cgi/live/go/program.h"
#include "cgi/live/live.h"
#include "cgi/live/process/kernel_threads.h"
#include "cgi/live/process/maps.h"
#include "cgi/live/process/steps.h"

enum {
	CACHE_EXECUTABLES = 512,
	CACHE_PROGRAMS = 64,
	CACHE_PROGRAM_BYTES = 128 << 20, /* of meta-data */
	CACHE_PLAIN_FILES = 4096,
};

/*
 * The executable with this identity; the caller puts it.  It is read from fd when it is not known;
 * fd stays the caller's.  NULL with a fault.
 */
must_check struct executable *cache_executable(struct live_cache *cache, int fd,
					       const struct file_identity *identity,
					       const struct deadline *deadline,
					       struct fault *fault);

/* The same, without a file to read from: NULL when it is not known. */
must_check struct executable *cache_find_executable(struct live_cache *cache,
						    const struct file_identity *identity);

/* Keep one that was made in another way; it stays the caller's, too. */
void cache_add_executable(struct live_cache *cache, struct executable *exe);

/*
 * The program of a registration that was read from a process running this file (or having it
 * mapped).  The registration is taken over or freed; the caller puts the program.  NULL with a
 * fault.
 */
must_check struct program *cache_program(struct live_cache *cache, const struct executable *exe,
					 struct registration *registration, struct fault *fault);

/* The program that such a process had last; the caller puts it.  NULL when there is none. */
must_check struct program *cache_last_program(struct live_cache *cache,
					      const struct executable *exe);

/*
 * Mapped files that are known not to be Go's, by device, inode and path as the kernel tells them,
 * so that the dozens of shared objects of each process need not be opened each time.
 */
bool cache_is_plain(struct live_cache *cache, const struct mapped_file *file);
void cache_add_plain(struct live_cache *cache, const struct mapped_file *file);

struct kernel_threads *cache_kernel_threads(struct live_cache *cache);

struct plain_processes *cache_plain_processes(struct live_cache *cache);

struct stuck_processes *cache_stuck_processes(struct live_cache *cache);

/* One more user, who gives it back by live_cache_free(). */
struct live_cache *live_cache_use(struct live_cache *cache);

struct evidence_files *cache_evidence_files(struct live_cache *cache);

#endif
