/* The writers: one a format, each called twice, first to measure. */
#ifndef GOVERAGE_REPORT_WRITERS_H
#define GOVERAGE_REPORT_WRITERS_H

#include "cgi/report/options.h"
#include "cgi/report/outline.h"
#include "cgi/text/text_out.h"

struct report {
	struct report_options options;
	struct outline outline;
	int64_t time_s; /* of the answer, since 1970 */
	size_t size;
	char *room; /* owned; TEXT_OUT_ROOM for a piece of the text on its way */
};

typedef void report_writer(struct report *report, struct text_out *out);

report_writer write_percent;
report_writer write_packages;
report_writer write_func;
report_writer write_json;
report_writer write_lcov;
report_writer write_cobertura;
report_writer write_badge;
report_writer write_structure;
report_writer write_counters;

#endif
