/*
 * What a request asks for: the fields of goverage (skipFile) and of goc (coverfile, skipfile,
 * service, address, force), from a JSON body, a form body or the query string.
 */
#ifndef GOVERAGE_EXCHANGE_QUERY_H
#define GOVERAGE_EXCHANGE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/error.h"
#include "cgi/base/string_list.h"

struct query {
	struct string_list skip_file;  /* Go regexps: files to leave out */
	struct string_list cover_file; /* Go regexps: only these files; none = all */
	struct string_list service;    /* program names (goc) */
	struct string_list address;    /* processes (goc): proc://HOST/PID, as the list has them */
	struct string_list build;      /* hashes of meta-data, as the detailed list has them */
	struct string_list since;      /* at most one: the ETag of an earlier answer */
	struct string_list mode;       /* at most one: "strict" */
	struct string_list format; /* at most one, as all below but module: see report/options.h */
	struct string_list module;
	struct string_list prefix;
	struct string_list paths;
	struct string_list partial;
	struct string_list test;
	struct string_list label;
	bool methods;
	struct string_list fail_under; /* a number */
	bool download;		       /* the answer is to be saved as a file */
	bool total;		       /* cumulative numbers, whatever baseline there is */
	bool force; /* goc: leave out the names and addresses that are not there */
};

#define QUERY_INIT ((struct query){0})

/*
 * Add the fields of a query string or of a form body (application/x-www-form-urlencoded).  Names
 * match without regard to case; a repeated name adds to its list; unknown names are ignored. `what`
 * names the source in the message ("query string", "form body").  How many fields were known, or -1.
 */
must_check int query_add_form(struct query *q, const char *text, size_t len, const char *what,
			      struct error *err);

/*
 * Add the fields of a JSON body, which must be one whole object, or null.  A field that the body
 * names replaces what the query held of it, as a later duplicate key does in Go's encoding/json.
 */
must_check int query_add_json(struct query *q, const char *text, size_t len, struct error *err);

/*
 * Add a body of either kind: JSON when its first non-blank byte is '{' or '[', or when it is null,
 * whatever the content type says; otherwise a form, if content_type (may be NULL) says so; otherwise
 * it is read as JSON, so that the message says what was expected.  A form none of whose fields is
 * known is an error: it was meant to ask for something.  An empty or blank body adds nothing.
 */
must_check int query_add_body(struct query *q, const char *body, size_t len,
			      const char *content_type, struct error *err);

void query_free(struct query *q);

#define cleanup_query cleanup_with(query_free)

#endif
