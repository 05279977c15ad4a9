/* Where the lines of each source file stand in the text of a profile. */
#ifndef GOVERAGE_TEXT_FILE_INDEX_H
#define GOVERAGE_TEXT_FILE_INDEX_H

#include <stddef.h>

#include "cgi/base/error.h"
#include "cgi/pattern/path_filter.h"

/* The lines of one file, which stand together. */
struct file_run {
	size_t at;  /* of the first line */
	size_t len; /* of all lines */
};

/* Both arrays are in the order of the text. */
struct file_index {
	size_t mode_len;	/* bytes of the mode line */
	struct path_ref *paths; /* owned; what they point to is not */
	struct file_run *runs;	/* owned */
	size_t n;
	size_t cap; /* private */
};

#define FILE_INDEX_INIT ((struct file_index){0})

/* Add a file whose lines, of `len` bytes, follow those of the one before.  -1:
 * ERROR_UNAVAILABLE. */
must_check int file_index_add(struct file_index *index, struct path_ref path, size_t len,
			      struct error *err);

/*
 * Find the files of a text that begins with a mode line and ends with a line feed; the caller owns
 * the index, which points into the text.  NULL: ERROR_INTERNAL for a line that is no textfmt,
 * ERROR_UNAVAILABLE.
 */
must_check struct file_index *file_index_make(const char *text, size_t len, struct error *err);

/* Free what the index holds; it is as new. */
void file_index_clear(struct file_index *index);

/* NULL is fine. */
void file_index_free(struct file_index *index);

#endif
