/* What covdata says on stderr: for a message, and for finding the file that it stumbled over. */
#ifndef GOVERAGE_COVDATA_COVDATA_WORDS_H
#define GOVERAGE_COVDATA_COVDATA_WORDS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/buffer.h"
#include "cgi/base/string_list.h"

enum { COVDATA_LAST_WORDS = 640 };

/*
 * The last words of a program, fit for one sentence: one line, valid UTF-8, without "error: " in
 * front and blanks around, cut to room; from a crash of a Go program the cause, not the end of the
 * stack traces. "nothing on stderr" when it said nothing.
 */
void covdata_last_words(const char *said, size_t len, char *out, size_t room);

/*
 * Copy text with the staged directories turned back into the real ones: "STAGE/0/covmeta.x" becomes
 * "DIR/covmeta.x", where DIR is the first of dirs; other paths below the staging directory lose its
 * name.
 */
void covdata_unstage(const char *text, size_t len, const char *stage,
		     const struct string_list *dirs, struct buffer *out);

enum covdata_fault {
	COVDATA_FAULT_OTHER,	/* nothing that leaving out one file could heal */
	COVDATA_FAULT_FILE,	/* one staged file can't be read */
	COVDATA_FAULT_CONFLICT, /* good files that don't go together */
};

struct covdata_complaint {
	enum covdata_fault fault;
	/* of a COVDATA_FAULT_FILE: */
	char subdir[16]; /* "0", "1", …, or another name below the staging directory */
	char name[NAME_MAX + 1];
	char reason[200]; /* covdata's, such as "unexpected EOF" */
};

/* Read the complaint out of what covdata said before it failed. */
void covdata_complaint_parse(const char *said, size_t len, const char *stage,
			     struct covdata_complaint *complaint);

#endif
