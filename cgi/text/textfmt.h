/*
 * A profile that is about to be sent: a text, and what the patterns of the request leave of it.
 * Filtering copies nothing: what stays is a list of spans.
 */
#ifndef GOVERAGE_TEXT_TEXTFMT_H
#define GOVERAGE_TEXT_TEXTFMT_H

#include <stddef.h>

#include "cgi/base/error.h"
#include "cgi/pattern/path_filter.h"
#include "cgi/text/profile_text.h"

struct byte_span {
	const char *bytes;
	size_t len;
};

struct textfmt {
	struct profile_text *whole; /* this is a user of it; NULL = none */
	struct byte_span *spans;    /* owned; what is left of it, in order */
	size_t n_spans;
	size_t total; /* bytes in all spans */
};

#define TEXTFMT_INIT ((struct textfmt){0})

/* Become a user of the text: one span, all of it.  -1: ERROR_UNAVAILABLE. */
must_check int textfmt_take(struct textfmt *profile, struct profile_text *text, struct error *err);

/*
 * Keep the mode line and the lines of those files that the filter lets through.  A file's lines
 * stand together, so the filter is asked once a file.  -1 as path_filter_apply(), or ERROR_INTERNAL
 * for a line that is no textfmt.
 */
must_check int textfmt_filter(struct textfmt *profile, struct path_filter *filter,
			      struct error *err);

void textfmt_free(struct textfmt *profile);

#define cleanup_textfmt cleanup_with(textfmt_free)

#endif
