/* Filling a struct reader_report. */
#ifndef GOVERAGE_STATE_REPORT_H
#define GOVERAGE_STATE_REPORT_H

#include "cgi/directory/inputs.h"
#include "cgi/state/reader.h"
#include "cgi/sum/merge.h"

/*
 * A file was left out, for a reason that follows its name.  With log it gets a line in the log,
 * unless this request has had many.  -1: ERROR_UNAVAILABLE when out of memory.
 */
must_check int report_skip(struct reader_report *report, const struct input_file *input,
			   const char *reason, bool log, struct error *err);

/*
 * What was found in a file.  COVERAGE_DAMAGED is for one that was skipped and can't be used by
 * covdata either, COVERAGE_GOOD for counters that covdata can use, too.
 */
void report_finding(struct reader_report *report, const struct input_file *input,
		    enum coverage_finding finding);

/* What was seen in a counter file, added or not. */
void report_notes(struct reader_report *report, const struct merge_notes *notes);

/* What can be told of the whole profile: modes, builds, digest.  -1: ERROR_UNAVAILABLE. */
must_check int report_profile(struct reader_report *report, struct covprofile *profile,
			      struct error *err);

#endif
