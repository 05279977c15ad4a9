/*
 * What turns coverage files into a profile: Go's own covdata, or the built-in reader.  The reader
 * looks at the files in any case: it knows what is in a profile before there is a text, and only it
 * can tell what ran since an earlier answer, or join programs with different counter modes.
 */
#ifndef GOVERAGE_PROFILE_ENGINE_H
#define GOVERAGE_PROFILE_ENGINE_H

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/collect/collect.h"
#include "cgi/exchange/app.h"
#include "cgi/pattern/path_filter.h"
#include "cgi/state/reader.h"
#include "cgi/sum/covprofile.h"
#include "cgi/text/textfmt_writer.h"

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

/*
 * A profile's text, and who makes it: a text in memory, or, where it would be kept for nobody, a
 * writer of it.
 */
struct engine_text {
	const char *name;	       /* under which it will be kept; "" = it will not */
	struct profile_text *text;     /* this is a user of it; NULL = none */
	struct textfmt_writer *writer; /* owned; NULL = none */
	const char *engine;	       /* "covdata", "builtin" */
	const void *packages;	       /* see text_cache_keep() */
	bool unrepeatable; /* not of the very files of the tally, or in an order of chance */
};

#define ENGINE_TEXT_INIT ((struct engine_text){.name = ""})

void engine_text_drop(struct engine_text *text);

#define cleanup_engine_text cleanup_with(engine_text_drop)

/*
 * The reader's text of a profile, without the files that the filter takes away where it is a
 * writer.  One that is kept of an earlier state is brought up to date, where nobody is sending it
 * any more.  -1 as textfmt_writer_new() and textfmt_writer_text().
 */
must_check int engine_write(struct engine_text *text, struct app *app, struct covprofile *profile,
			    struct path_filter *filter, const struct deadline *deadline,
			    struct error *err);

/*
 * The textfmt of the whole collection.  By GOVERAGE_ENGINE: "auto" takes covdata where it is found
 * and the tally has no mixed modes, and the reader where covdata is not there or fails; "covdata"
 * and "builtin" take the one.  -1 as covdata_textfmt() and engine_write(); ERROR_CONFLICT where
 * covdata alone is to answer for different counter modes.
 */
must_check int engine_textfmt(struct engine_text *text, struct app *app,
			      struct collection *collection, const struct tally *tally,
			      struct path_filter *filter, const struct deadline *deadline,
			      struct error *err);

void tally_free(struct tally *tally);

#define cleanup_tally cleanup_with(tally_free)

#endif
