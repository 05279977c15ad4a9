/*
 * Names out of coverage data, which may hold any byte, made fit for a format: valid UTF-8 (U+FFFD
 * stands for what is not), without what the format can't carry.
 */
#ifndef GOVERAGE_REPORT_NAMES_H
#define GOVERAGE_REPORT_NAMES_H

#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/format/string_table.h"

/* What a format can't carry in a name, and what stands for it. */
enum name_rules {
	NAMES_LINE,	/* a line feed, or any control character: '?' */
	NAMES_NO_COMMA, /* the same, and a comma */
	NAMES_XML,	/* what XML 1.0 forbids: U+FFFD */
	NAMES_JSON,	/* nothing */
};

/*
 * The name by the rules: itself, as a rule, or a copy that `copies` owns.  -1: ERROR_UNAVAILABLE.
 */
must_check int name_clean(struct string_ref *name, enum name_rules rules,
			  struct string_list *copies, struct error *err);

/* Where the part begins that tells a file in its module: behind "MODULE/"; 0 where it is not
 * in it. */
size_t name_in_module(struct string_ref path, struct string_ref module);

/* Does the name end so? */
bool name_ends_with(struct string_ref name, const char *end);

#endif
