/*
 * A coverage profile in Go's textfmt, held in memory: "mode: M\n", then one line a statement block,
 *     FILE:STARTLINE.STARTCOLUMN,ENDLINE.ENDCOLUMN STATEMENTS COUNT\n
 * (golang.org/x/tools/cover and cmd/covdata).  Filtering copies nothing: what stays is a list of
 * spans.
 */
#ifndef GOVERAGE_TEXTFMT_H
#define GOVERAGE_TEXTFMT_H

#include <stddef.h>

#include "cgi/base/error.h"
#include "cgi/pattern/path_filter.h"

struct byte_span {
	const char *bytes;
	size_t len;
};

struct textfmt {
	char *text; /* the whole profile, mapped; NULL = none */
	size_t text_len;
	struct byte_span *spans; /* owned; what is left of it, in order */
	size_t n_spans;
	size_t total; /* bytes in all spans */
};

#define TEXTFMT_INIT ((struct textfmt){0})

/*
 * Take over the content of the memory file fd, which stays the caller's: one span, all of it.
 * An empty file is an empty profile (no spans).  -1 with ERROR_INTERNAL when it doesn't begin with
 * a mode line or doesn't end with a line feed: then covdata didn't finish it.
 */
must_check int textfmt_map(struct textfmt *profile, int fd, struct error *err);

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
