/* Which files of an outline stay, and under which names. */
#ifndef GOVERAGE_REPORT_OUTLINE_NAMES_H
#define GOVERAGE_REPORT_OUTLINE_NAMES_H

#include "cgi/report/outline.h"

/*
 * Decide what is kept, and name files and packages.  The name of a file is relative to its module,
 * the name of which is cut off at a slash, unless the file has none, is Go's own, or would then be
 * called as the file of another module.  -1 as outline_make().
 */
must_check int outline_choose(struct outline *outline, const struct outline_wish *wish,
			      struct error *err);

#endif
