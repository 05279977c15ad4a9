/* What a request asks of a report: its format, and how that is to be written. */
#ifndef GOVERAGE_REPORT_OPTIONS_H
#define GOVERAGE_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/string_list.h"

enum report_kind {
	REPORT_TEXT, /* Go's textfmt, which is not written here */
	REPORT_PERCENT,
	REPORT_PACKAGES,
	REPORT_FUNC,
	REPORT_JSON,
	REPORT_LCOV,
	REPORT_COBERTURA,
	REPORT_BADGE,
	REPORT_STRUCTURE,
	REPORT_COUNTERS,
	REPORT_KINDS
};

struct report_options {
	enum report_kind kind;
	struct string_list modules; /* only these; none = all */
	struct string_list
	    prefix;		  /* at most one: in front of names that are relative to a module */
	struct string_list test;  /* at most one: a name for the tests, in lcov */
	struct string_list label; /* at most one: of a badge */
	char structure_id[50];	  /* of the structure of the profile, and of what is asked of it */
	bool methods;		  /* Cobertura has methods, too */
	bool branches;		  /* a line that has run in part is a branch taken by half */
	bool import_paths;	  /* names are not relative to a module */
	bool download;		  /* as a file */
	uint32_t fail_under;	  /* thousandths of a percent; NO_THRESHOLD = there is none */
	char fail_under_text[16]; /* as the request has it */
};

enum { NO_THRESHOLD = UINT32_MAX };

#define REPORT_OPTIONS_INIT ((struct report_options){.fail_under = NO_THRESHOLD})

/* The name of a format in a request, its media type, and that of a file of it. */
const char *report_kind_name(enum report_kind kind);
const char *report_kind_type(enum report_kind kind);
const char *report_kind_file(enum report_kind kind);

void report_options_free(struct report_options *options);

#define cleanup_report_options cleanup_with(report_options_free)

#endif
