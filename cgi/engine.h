/*
 * What turns coverage files into a profile: Go's own covdata, or the built-in reader.  The reader
 * looks at the files in any case: it knows what is in a profile before there is a text, and only it
 * can tell what ran since an earlier answer, or join programs with different counter modes.
 */
#ifndef GOVERAGE_ENGINE_H
#define GOVERAGE_ENGINE_H

#include "cgi/app.h"
#include "cgi/collect.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/reader/covprofile.h"
#include "cgi/reader/reader.h"

/* What the reader understood of a collection. */
struct tally {
	struct covprofile *profile; /* this is a user of it; NULL = only covdata can tell */
	struct reader_report report;
};

#define TALLY_INIT ((struct tally){0})

/*
 * Read the collection.  tally->profile stays NULL, and it is no error, where the reader can't read
 * it and covdata is to be asked: a format version that is not known.  With strict_modes, different
 * counter modes are ERROR_CONFLICT.  -1 otherwise as reader_load().
 */
must_check int engine_tally(struct tally *tally, struct app *app, struct collection *collection,
			    bool strict_modes, const struct deadline *deadline, struct error *err);

/* A text, and who made it. */
struct engine_text {
	int fd;		       /* a memory file; the caller's; -1 = none */
	const char *engine;    /* "covdata", "builtin" */
	bool of_another_state; /* not of the very files of the tally */
};

#define ENGINE_TEXT_INIT ((struct engine_text){.fd = -1})

static inline void cleanup_engine_text_fn(struct engine_text *text)
{
	cleanup_fd_fn(&text->fd);
}

#define cleanup_engine_text cleanup_with(cleanup_engine_text_fn)

/*
 * The textfmt of the whole collection.  By GOVERAGE_ENGINE: "auto" takes covdata where it is found
 * and the tally has no mixed modes, and the reader where covdata is not there or fails; "covdata"
 * and "builtin" take the one.  -1 as covdata_textfmt() and reader_textfmt(); ERROR_CONFLICT where
 * covdata alone is to answer for different counter modes.
 */
must_check int engine_textfmt(struct engine_text *text, struct app *app,
			      struct collection *collection, const struct tally *tally,
			      const struct deadline *deadline, struct error *err);

void tally_free(struct tally *tally);

#define cleanup_tally cleanup_with(tally_free)

#endif
