#include "cgi/collect/unknown_selection.h"

#include <string.h>
#include <sys/utsname.h>

#include "cgi/base/escape.h"
#include "cgi/collect/process_address.h"
#include "cgi/collect/program_name.h"
#include "cgi/directory/coverage_list.h"
#include "cgi/directory/coverage_names.h"
#include "cgi/directory/inputs.h"

enum {
	LISTED = 20,	    /* so many entries of each kind are told */
	LISTED_BYTES = 500, /* and so many bytes of them in all */
	LOOKED_INTO = 1000, /* files */
	OF_A_PROGRAM = 8,   /* of these, counter files of one program */
};

/* What there is of each kind, each once. */
struct there_is {
	struct selection *selection; /* in which it is noted */
	struct string_list lists[CHOICES];
	size_t more[CHOICES]; /* beyond those in the list, some perhaps twice */
	size_t looked_into;
	struct buffer scratch;
};

static void there_is_free(struct there_is *t)
{
	int i;

	for (i = 0; i < CHOICES; i++)
		string_list_free(&t->lists[i]);
	buffer_free(&t->scratch);
}

static int note(struct there_is *t, enum choice choice, const char *text, size_t n,
		struct error *err)
{
	struct string_list *list = &t->lists[choice];

	if (n)
		selection_note(t->selection, choice, text, n);
	if (!n || string_list_has(list, text, n))
		return 0;
	if (list->n >= LISTED) {
		t->more[choice]++;
		return 0;
	}
	return string_list_add(list, text, n) < 0 ? error_no_memory(err) : 0;
}

static int note_text(struct there_is *t, enum choice choice, const char *text, struct error *err)
{
	return text ? note(t, choice, text, strlen(text), err) : 0;
}

static int note_processes(struct there_is *t, const struct live_report *live, struct error *err)
{
	struct utsname host;
	size_t i;

	uname(&host);
	for (i = 0; i < live->n; i++) {
		cleanup_buffer struct buffer address = BUFFER_INIT;

		process_address(&address, host.nodename, live->processes[i].pid);
		if (note(t, CHOICE_ADDRESS, buffer_str(&address), address.len, err) < 0 ||
		    note_text(t, CHOICE_SERVICE, live->processes[i].program, err) < 0 ||
		    note_text(t, CHOICE_BUILD, live->processes[i].hash, err) < 0)
			return -1;
	}
	return 0;
}

static int note_group(struct there_is *t, const struct input_group *group, struct error *err)
{
	const struct coverage_file *meta = group->meta->file;
	size_t i;

	if (note(t, CHOICE_BUILD, coverage_tag(meta), meta->tag_len, err) < 0)
		return -1;
	for (i = 0; i < group->n_counters + 1 && i < OF_A_PROGRAM; i++) {
		cleanup_buffer struct buffer name = BUFFER_INIT;

		if (t->looked_into++ >= LOOKED_INTO)
			return 0;
		if (i < group->n_counters &&
		    program_name_of_counters(&group->counters[i], &t->scratch, &name, err) < 0)
			return -1;
		if (!name.len && (!i || i < group->n_counters) &&
		    program_name_of_meta(group->meta, &name, err) < 0)
			return -1;
		if (note(t, CHOICE_SERVICE, buffer_str(&name), name.len, err) < 0)
			return -1;
	}
	return 0;
}

static int note_files(struct there_is *t, const struct coverage_dirs *dirs,
		      const struct deadline *deadline, struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_inputs struct inputs inputs = INPUTS_INIT;
	size_t i;

	if (coverage_set_list_dirs(&set, dirs, deadline, err) < 0 ||
	    inputs_gather(&inputs, &set, NULL, err) < 0)
		return -1;
	for (i = 0; i < inputs.n_groups; i++)
		if (coverage_check_step(deadline, i, err) < 0 ||
		    note_group(t, &inputs.groups[i], err) < 0)
			return -1;
	return 0;
}

static void tell(const struct there_is *t, enum choice choice, struct buffer *out)
{
	static const char *const words[] = {"service", "address", "build"};
	const struct string_list *list = &t->lists[choice];
	size_t end = out->len + LISTED_BYTES / CHOICES, i;

	buffer_printf(out, "%s%s%s", out->len ? "; " : "", list->n ? "" : "no ", words[choice]);
	for (i = 0; i < list->n && out->len < end; i++) {
		buffer_puts(out, i ? ", " : " ");
		escape_plain(out, list->items[i].text, list->items[i].len);
	}
	if (list->n - i + t->more[choice])
		buffer_puts(out, ", and more");
}

int unknown_selection(struct selection *selection, bool is_empty, struct live_cache *cache,
		      const struct coverage_dirs *dirs, const struct deadline *deadline,
		      struct error *err)
{
	cleanup_with(there_is_free) struct there_is t = {.selection = selection};
	cleanup_live_report struct live_report live = LIVE_REPORT_INIT;
	cleanup_buffer struct buffer unknown = BUFFER_INIT, known = BUFFER_INIT;
	int i;

	if (cache && live_snapshot(cache, &dirs->paths, NULL, NULL, deadline, &live, err) < 0)
		return -1;
	if (note_processes(&t, &live, err) < 0 || note_files(&t, dirs, deadline, err) < 0)
		return -1;
	if (!selection_fails(selection) && !is_empty)
		return 0;
	selection_name_unknown(selection, &unknown);
	for (i = 0; i < CHOICES; i++)
		if (selection->chosen[i]->n)
			tell(&t, i, &known);
	if (!selection_fails(selection))
		return error_set(err, ERROR_NOT_FOUND,
				 "nothing is all that was chosen at once; there is %s",
				 buffer_str(&known));
	return error_set(err, ERROR_NOT_FOUND, "there is nothing here for %s; there is %s%s",
			 buffer_str(&unknown), buffer_str(&known),
			 cache ? "" : " (running processes are not read: GOVERAGE_LIVE is off)");
}
