/* The functions of an outline. */
#ifndef GOVERAGE_REPORT_OUTLINE_FUNCTIONS_H
#define GOVERAGE_REPORT_OUTLINE_FUNCTIONS_H

#include "cgi/report/outline.h"

/* Append the functions of a package, whose rows these are, and count what they hold.  -1:
 * ERROR_UNAVAILABLE. */
must_check int outline_add_functions(struct outline *outline, const struct outline_package *package,
				     const struct unit_rows *rows, enum name_rules rules,
				     struct error *err);

#endif
