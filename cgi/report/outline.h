/*
 * What a profile is made of, for people: packages, the files of each, the functions of each file,
 * with statements and lines counted.  Made once for a report; every format is written from it.
 *
 * A package is all that has one import path, and of several builds of it equal blocks are one, as
 * in textfmt.  Files that the request leaves out are here, but not `kept`, and count nowhere.
 */
#ifndef GOVERAGE_REPORT_OUTLINE_H
#define GOVERAGE_REPORT_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/format/unit_rows.h"
#include "cgi/pattern/path_filter.h"
#include "cgi/report/lines.h"
#include "cgi/report/names.h"
#include "cgi/report/options.h"
#include "cgi/report/share.h"
#include "cgi/sum/covprofile.h"

/* One function, or a literal that initialises a package-level variable. */
struct outline_function {
	struct string_ref name;
	uint32_t file;	       /* index into files[] */
	uint32_t line, column; /* where its entry block, which is its first unit, starts */
	uint32_t first_unit;   /* in the rows of its package */
	uint32_t n_units;
	uint32_t calls; /* how often the entry block has run; 0 or 1 in mode set */
	struct share statements;
	bool literal;
	bool repeats;	/* its file has another one of this name */
	bool continues; /* the same function as the one before, in another build: counted there */
};

struct outline_file {
	struct string_ref path; /* as the profile has it */
	struct string_ref name; /* what is shown of it */
	bool in_module;		/* the name is relative to a module: the prefix goes in front */
	bool kept;
	uint32_t package; /* index into packages[] */
	size_t from, end; /* its units, in the order[] of the rows of its package */
	size_t first_function, n_functions;
	struct share statements, lines;
	uint64_t partial; /* lines of which a part has run and a part has not */
};

struct outline_package {
	struct string_ref path, module; /* an empty module: there is none */
	bool kept;			/* one of its files is */
	uint32_t from, end;		/* indexes into parts */
	struct unit_rows *joined;	/* owned; NULL where it is one part, as it is */
	size_t first_unit;		/* where its units stand among those of all */
	size_t first_file, n_files;
	struct share statements, lines;
	uint64_t partial;
};

struct outline {
	struct covprofile *profile;	  /* this is a user of it */
	bool once;			  /* counters tell only whether a unit was covered */
	uint32_t *parts;		  /* owned; indexes into profile->parts, by import path */
	struct outline_package *packages; /* owned, as the next two; in byte order of the paths */
	uint32_t n_packages;
	struct outline_file *files; /* those of a package in byte order */
	size_t n_files;
	struct outline_function
	    *functions; /* those of a file by position; NULL where not asked for */
	size_t n_functions;
	struct share statements, lines; /* of all that is kept */
	uint64_t partial;
	struct string_list copies; /* of names that had to be changed */
	/* working memory, for one package or file at a time, enough for the largest */
	struct counted_package *counted;
	struct unit_rows rows;
	uint8_t *cuts; /* a bit for each unit: see lines.h */
	struct line_sweep sweep;
	uint32_t *order; /* owned; twice the units of a function */
};

#define OUTLINE_INIT ((struct outline){0})

/* How much of it is wanted. */
struct outline_wish {
	const struct report_options *options; /* module, prefix, paths */
	struct path_filter *filter;	      /* NULL = all files */
	enum name_rules names;
	bool functions, lines;
};

/*
 * Make the outline of a profile.  -1: as path_filter_apply(); ERROR_NOT_FOUND for a module that is
 * not in the profile; ERROR_INTERNAL where made-up positions would give more lines than any report
 * can list; ERROR_UNAVAILABLE, ERROR_TIMEOUT, ERROR_CANCELLED.
 */
must_check int outline_make(struct outline *outline, struct covprofile *profile,
			    const struct outline_wish *wish, const struct deadline *deadline,
			    struct error *err);

/*
 * The rows of a package, until the next call.  -1 when out of memory, which it can't be once the
 * outline is made.
 */
const struct unit_rows *outline_rows(struct outline *outline, struct outline_package *package,
				     struct error *err);

/* A counter as it is shown. */
static inline uint32_t outline_count(const struct outline *outline, const struct unit_rows *rows,
				     uint32_t unit)
{
	return outline->once ? rows->counters[unit] != 0 : rows->counters[unit];
}

/* Begin with the lines of a file; `rows` are those of its package. */
void outline_lines(struct outline *outline, const struct outline_file *file,
		   const struct unit_rows *rows);

/* Begin with the lines of one function alone. */
void outline_function_lines(struct outline *outline, const struct outline_function *function,
			    const struct unit_rows *rows);

void outline_free(struct outline *outline);

#define cleanup_outline cleanup_with(outline_free)

#endif
