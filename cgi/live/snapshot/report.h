/* Lines of a struct live_report: making, adding, freeing. */
#ifndef GOVERAGE_LIVE_SNAPSHOT_REPORT_H
#define GOVERAGE_LIVE_SNAPSHOT_REPORT_H

#include "cgi/live/go/executable.h"
#include "cgi/live/live.h"
#include "cgi/live/snapshot/program_snapshot.h"

/* Free the strings of a line. */
void live_process_free(struct live_process *line);

#define cleanup_live_process cleanup_with(live_process_free)

/* Move a line into the report and count it.  -1 without memory; the line is the caller's still. */
must_check int report_add(struct live_report *report, struct live_process *line);

/* What a snapshot and the build information tell, into a line.  -1 without memory. */
must_check int report_describe(struct live_process *line, const struct program_snapshot *snapshot,
			       const struct build_info *build);

#endif
