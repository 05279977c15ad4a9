#include "cgi/collect/collect.h"

#include "cgi/base/log.h"
#include "cgi/collect/unknown_selection.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/state/reader.h"

static void log_unread(const struct live_report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++) {
		const struct live_process *p = &report->processes[i];

		if (p->state != LIVE_READ)
			log_line("process not read pid=%d program=%.128s state=%s reason=%.512s",
				 (int)p->pid, p->program ? p->program : "-",
				 live_state_name(p->state), p->reason ? p->reason : "-");
	}
}

/* The first process that could not be read for a reason that stays. */
static const struct live_process *first_unreadable(const struct live_report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++)
		if (report->processes[i].state == LIVE_DENIED ||
		    report->processes[i].state == LIVE_UNSUPPORTED)
			return &report->processes[i];
	return NULL;
}

static int complain_unreadable(const struct live_process *p, struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "process %d (%.128s) can't be read: %.700s",
			 (int)p->pid, p->program ? p->program : "unknown program",
			 p->reason ? p->reason : live_state_name(p->state));
}

static int read_processes(struct collection *collection, struct app *app,
			  struct selection *selection, const struct deadline *deadline,
			  struct error *err)
{
	const struct live_process *unreadable;

	if (app->settings.live == LIVE_SETTING_OFF)
		return 0;
	collection->live_was_read = true;
	collection->looked_ns = endings_now_ns();
	if (live_snapshot(app->live_cache, &collection->dirs.paths,
			  selection->chosen[CHOICE_SERVICE], &collection->live_files, deadline,
			  &collection->live, err) < 0 ||
	    selection_keep_processes(selection, &collection->live, &collection->live_files, err) <
		0)
		return -1;
	log_unread(&collection->live);
	unreadable = first_unreadable(&collection->live);
	if (unreadable && app->settings.live == LIVE_SETTING_REQUIRED)
		return complain_unreadable(unreadable, err);
	return 0;
}

static void note_live_meta(struct collection *collection)
{
	size_t i;

	for (i = 0; i < collection->live.n; i++)
		collection->live_meta |= collection->live.processes[i].wrote_meta;
}

bool collection_is_empty(const struct collection *collection)
{
	return collection->set.n_meta == 0 && !collection->live_meta;
}

/* Processes that can't be read must not look like processes that have executed nothing. */
static int check_not_blind(const struct collection *collection, struct error *err)
{
	const struct live_process *unreadable = first_unreadable(&collection->live);

	if (!unreadable || collection->live.read > 0 || collection->set.n_counters > 0)
		return 0;
	return complain_unreadable(unreadable, err);
}

static bool chooses_nothing(const struct collection *collection, const struct selection *selection)
{
	return !selection_is_all(selection) && collection_is_empty(collection) &&
	       collection->live.n == 0;
}

/* Every entry of the selection must stand for something, and it for something at once. */
static int check_selection(const struct collection *collection, struct app *app,
			   struct selection *selection, const struct deadline *deadline,
			   struct error *err)
{
	bool off = app->settings.live == LIVE_SETTING_OFF;
	bool is_empty = chooses_nothing(collection, selection);

	if (!selection_fails(selection) && !is_empty)
		return 0;
	return unknown_selection(selection, is_empty, off ? NULL : app->live_cache,
				 &collection->dirs, deadline, err);
}

int collect(struct collection *collection, struct app *app, const char *gocoverdir,
	    struct selection *selection, const struct deadline *deadline, struct error *err)
{
	if (coverage_dirs_open(&collection->dirs, gocoverdir, err) < 0 ||
	    read_processes(collection, app, selection, deadline, err) < 0 ||
	    reader_list(app->reader, &collection->set, &collection->dirs, deadline, err) < 0)
		return -1;
	if (collection->live_was_read && live_reconcile(&collection->live, &collection->set,
							&collection->live_files, deadline, err) < 0)
		return -1;
	if (selection_keep_files(selection, &collection->set, &collection->live, deadline, err) < 0)
		return -1;
	note_live_meta(collection);
	if (check_selection(collection, app, selection, deadline, err) < 0)
		return -1;
	return check_not_blind(collection, err);
}

int collection_endings(const struct collection *collection, struct app *app,
		       const struct string_list *services, const enum coverage_finding *findings,
		       const struct deadline *deadline, struct endings *endings, struct error *err)
{
	const struct endings_view view = {.dirs = &collection->dirs,
					  .set = &collection->set,
					  .findings = findings,
					  .live = &collection->live,
					  .services = services,
					  .cache = app->live_cache,
					  .looked_ns = collection->looked_ns,
					  .seen = app->seen,
					  .deadline = deadline};

	if (!collection->live_was_read)
		return 0;
	if (endings_find(endings, &view, err) < 0)
		return -1;
	endings_log(endings);
	return app->settings.live == LIVE_SETTING_REQUIRED ? endings_require(endings, err) : 0;
}

void collection_free(struct collection *collection)
{
	memory_files_free(&collection->live_files);
	live_report_free(&collection->live);
	coverage_set_free(&collection->set);
	coverage_dirs_close(&collection->dirs);
}
