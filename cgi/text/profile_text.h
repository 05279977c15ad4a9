/*
 * The text of a whole profile, as Go's textfmt has it: "mode: M\n", then one line a statement
 * block,
 *     FILE:STARTLINE.STARTCOLUMN,ENDLINE.ENDCOLUMN STATEMENTS COUNT\n
 * (golang.org/x/tools/cover and cmd/covdata).  It counts its users, and serves any number of
 * threads; once it is whole it changes only while it has one user.
 */
#ifndef GOVERAGE_TEXT_PROFILE_TEXT_H
#define GOVERAGE_TEXT_PROFILE_TEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/text/file_index.h"

struct profile_text {
	atomic_uint users;
	char *bytes; /* mapped; NULL = there is none at all */
	size_t len;
	size_t room;			    /* bytes that are mapped */
	_Atomic(struct file_index *) files; /* owned; NULL until somebody asked for it */
};

/* Memory for a text of at most `room` bytes, to be filled in by its one user.  NULL:
 * ERROR_UNAVAILABLE. */
must_check struct profile_text *profile_text_new(size_t room, struct error *err);

/* Its one user is about to write other bytes: what was found out about them is forgotten. */
void profile_text_rewrite(struct profile_text *text);

/*
 * The content of the memory file fd, which stays the caller's; an empty file is a text without
 * bytes. NULL: ERROR_INTERNAL when it doesn't begin with a mode line or doesn't end with a line
 * feed (covdata didn't finish it), ERROR_UNAVAILABLE.
 */
must_check struct profile_text *profile_text_of_file(int fd, struct error *err);

/* Where the lines of each file stand; it lives as long as the text.  NULL as file_index_make(). */
must_check const struct file_index *profile_text_files(struct profile_text *text,
						       struct error *err);

/*
 * Are there two blocks of one place: of functions with two names, by line directives or because
 * another build calls the function otherwise?  covdata prints them in an order that changes from run to
 * run (it sorts the keys of a map by place alone: cmd/covdata and internal/coverage/cformat).
 */
bool profile_text_has_twins(const struct profile_text *text);

struct profile_text *profile_text_use(struct profile_text *text);
void profile_text_release(struct profile_text *text);

static inline void cleanup_profile_text_fn(struct profile_text **text)
{
	profile_text_release(*text);
}

#define cleanup_profile_text cleanup_with(cleanup_profile_text_fn)

#endif
