/*
 * A profile told in another format than Go's: as a percentage, as a table, for the tools that read
 * lcov or Cobertura.  As textfmt_writer, it knows its size before anything is written, has by then
 * all the memory that it needs, and hands the text on piece by piece.
 */
#ifndef GOVERAGE_REPORT_REPORT_H
#define GOVERAGE_REPORT_REPORT_H

#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/pattern/path_filter.h"
#include "cgi/report/options.h"
#include "cgi/sum/covprofile.h"
#include "cgi/text/text_out.h"

struct report;

/*
 * A report of those files of the profile that the filter lets through (NULL = all), of which it is
 * a user; the options move into it, whatever comes back.  NULL as outline_make().
 */
must_check struct report *report_new(struct covprofile *profile, struct report_options *options,
				     struct path_filter *filter, const struct deadline *deadline,
				     struct error *err);

/*
 * Is it above the threshold that the options set, if they set one?  -1: ERROR_BELOW with how far it
 * came.
 */
must_check int report_check(const struct report *report, struct error *err);

enum { REPORT_DIGEST = 33 };

/*
 * What tells the packages of the profile, and the order in which they are written, from any others:
 * 32 hexadecimal digits.  -1: ERROR_UNAVAILABLE.
 */
must_check int report_structure(const struct covprofile *profile, char out[REPORT_DIGEST],
				struct error *err);

/* Bytes of the text. */
size_t report_size(const struct report *report);

/* Hand the text to the sink, in order.  0, or -1 when the sink has failed. */
must_check int report_send(struct report *report, text_sink *sink, void *to);

void report_free(struct report *report);

static inline void cleanup_report_fn(struct report **report)
{
	report_free(*report);
}

#define cleanup_report cleanup_with(cleanup_report_fn)

#endif
