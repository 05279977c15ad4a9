/*
 * Texts as files in a private directory in memory (/dev/shm), for a web server that sends a file by itself where an
 * answer names one (X-Sendfile): then a large profile doesn't go through the server byte by byte.
 *
 * A file stays for a while after its name was given away, since the server opens it later; where
 * all places are taken by such files there is no name, and the text goes out as it is.  For any
 * number of threads.
 */
#ifndef GOVERAGE_SENT_FILES_H
#define GOVERAGE_SENT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/coverage/profile_text.h"
#include "cgi/text_cache.h"

enum {
	SENT_FILES_LEAST = 256 << 10, /* bytes of a text for which it pays */
	SENT_FILES_STAY_MS = 10000,   /* so long a file is there after its name was given away */
	SENT_FILES_PATH = 128,	      /* room for a path */
};

struct sent_files;

/* Whose files have at most `budget` bytes together; 0 = none at all.  NULL when memory runs out. */
must_check struct sent_files *sent_files_new(size_t budget);

/*
 * The absolute path of a file that has the text, which the cache knows by this name; now_ms is the
 * monotonic time.  False where there is none: the text is short, or there is no place, or no room
 * to write it, or no memory file system.
 */
bool sent_files_path(struct sent_files *files, const char *name, const struct profile_text *text,
		     int64_t now_ms, char path[SENT_FILES_PATH]);

/* Remove the files, too. */
void sent_files_free(struct sent_files *files);

#endif
