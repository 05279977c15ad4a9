/*
 * What a request chooses among what there is: programs by name (goc's `service`), processes by
 * address (goc's `address`), builds by the hash of their meta-data.  Each is a list; what is chosen
 * is in all lists that are not empty.
 *
 * Whoever applies a selection notes in it which of its entries stand for something, so that it can
 * be told afterwards which ones stand for nothing.
 */
#ifndef GOVERAGE_COLLECT_SELECTION_H
#define GOVERAGE_COLLECT_SELECTION_H

#include <stdbool.h>

#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/string_list.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/directory/memory_files.h"
#include "cgi/exchange/query.h"
#include "cgi/exchange/response.h"
#include "cgi/live/live.h"

enum choice { CHOICE_SERVICE, CHOICE_ADDRESS, CHOICE_BUILD, CHOICES };

struct selection {
	const struct string_list *chosen[CHOICES]; /* of the query; an empty one chooses all */
	bool *known[CHOICES];			   /* owned; one for each entry */
	bool force; /* leave out what is not there, and answer with the rest (goc) */
};

#define SELECTION_INIT ((struct selection){0})

/* The selection of a query, which must outlive it.  -1: ERROR_UNAVAILABLE. */
must_check int selection_begin(struct selection *selection, const struct query *query,
			       struct error *err);

/* Does it choose everything? */
bool selection_is_all(const struct selection *selection);

/*
 * Leave in the report, which has the processes of the chosen services, those that are chosen, and
 * take the snapshots of the others out of *files.  One that was not read may be of any build.
 * -1: ERROR_UNAVAILABLE.
 */
must_check int selection_keep_processes(struct selection *selection, struct live_report *live,
					struct memory_files *files, struct error *err);

/*
 * Leave in the set what is chosen; an address chooses those files that its process has written
 * itself.  `live` has the chosen processes.  -1 as service_filter_apply().
 */
must_check int selection_keep_files(struct selection *selection, struct coverage_set *set,
				    const struct live_report *live, const struct deadline *deadline,
				    struct error *err);

/* There is something that this entry of a list would stand for, chosen or not. */
void selection_note(struct selection *selection, enum choice choice, const char *text, size_t n);

/* Is this the tag of a chosen build? */
bool selection_has_build(const struct selection *selection, const struct coverage_file *file);

/*
 * Is there an entry that stands for nothing, and must not: any one without force, and with it where
 * nothing in its list is known?
 */
bool selection_fails(const struct selection *selection);

/* Append "service a, b; address c": what stands for nothing, in bounds. */
void selection_name_unknown(const struct selection *selection, struct buffer *out);

/* Where entries were left out with force, a Goverage-Warning that names them. */
void selection_warn(const struct selection *selection, struct response *response);

void selection_free(struct selection *selection);

#define cleanup_selection cleanup_with(selection_free)

#endif
