/*
 * A profile in Go's text format, as `covdata textfmt` prints it, byte for byte: the mode line; then
 * package by package in the byte order of the import paths, a line for each unit, sorted by file
 * name, start line, end line, start column, end column, statements.  Units of one function that are
 * equal in all of these are one line, with their counters joined; where only the functions differ,
 * the one that was seen first comes first (covdata leaves that to chance).  With mixed modes a
 * counter tells only whether the unit was covered, and the mode is set.
 *
 * The writer knows the size before there is any text, and has by then all that it needs: writing
 * can't fail but for the one who takes the text.  It can write the text as often as it is asked to,
 * piece by piece, so that an answer that nobody will ask for again need not lie in memory whole.
 */
#ifndef GOVERAGE_TEXT_TEXTFMT_WRITER_H
#define GOVERAGE_TEXT_TEXTFMT_WRITER_H

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/pattern/path_filter.h"
#include "cgi/sum/covprofile.h"
#include "cgi/text/profile_text.h"
#include "cgi/text/text_out.h"

struct textfmt_writer;

/*
 * A writer for those files of the profile that the filter lets through; NULL = all of them.  It is
 * a user of the profile; the filter is asked now, and never again.  NULL: ERROR_UNAVAILABLE,
 * ERROR_TIMEOUT, ERROR_CANCELLED, and as path_filter_apply().
 */
must_check struct textfmt_writer *textfmt_writer_new(struct covprofile *profile,
						     struct path_filter *filter,
						     const struct deadline *deadline,
						     struct error *err);

/* Bytes of the text. */
size_t textfmt_writer_size(const struct textfmt_writer *writer);

/* Hand the text to the sink, in order.  0, or -1 when the sink has failed. */
must_check int textfmt_writer_send(struct textfmt_writer *writer, text_sink *sink, void *to);

/*
 * The text in memory; the caller becomes its user.  `again` is a text of our own that shows an
 * earlier state, or NULL: its one user, the caller, gives it away, since memory that was never
 * touched, which costs more than the writing, need not be found then.  NULL: ERROR_UNAVAILABLE.
 */
must_check struct profile_text *textfmt_writer_text(struct textfmt_writer *writer,
						    struct profile_text *again, struct error *err);

void textfmt_writer_free(struct textfmt_writer *writer);

static inline void cleanup_textfmt_writer_fn(struct textfmt_writer **writer)
{
	textfmt_writer_free(*writer);
}

#define cleanup_textfmt_writer cleanup_with(cleanup_textfmt_writer_fn)

#endif
