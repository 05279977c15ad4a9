#include "cgi/collect/selection.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "cgi/base/escape.h"
#include "cgi/collect/process_address.h"
#include "cgi/collect/service_filter.h"
#include "cgi/directory/coverage_names.h"

enum { NAMED_BYTES = 300 };

int selection_begin(struct selection *selection, const struct query *query, struct error *err)
{
	int i;

	selection->chosen[CHOICE_SERVICE] = &query->service;
	selection->chosen[CHOICE_ADDRESS] = &query->address;
	selection->chosen[CHOICE_BUILD] = &query->build;
	selection->force = query->force;
	for (i = 0; i < CHOICES; i++) {
		selection->known[i] = calloc(selection->chosen[i]->n + 1, sizeof(bool));
		if (!selection->known[i])
			return error_no_memory(err);
	}
	return 0;
}

void selection_free(struct selection *selection)
{
	int i;

	for (i = 0; i < CHOICES; i++)
		free(selection->known[i]);
	*selection = SELECTION_INIT;
}

bool selection_is_all(const struct selection *selection)
{
	int i;

	for (i = 0; i < CHOICES; i++)
		if (selection->chosen[i]->n)
			return false;
	return true;
}

/* --- what is chosen, and so known ------------------------------------------------------------ */

/* Is this entry among the chosen ones, or is everything chosen?  Case counts but in hashes. */
static bool choose(struct selection *selection, enum choice choice, const char *text, size_t n)
{
	const struct string_list *list = selection->chosen[choice];
	bool is_chosen = !list->n;
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct string_item *item = &list->items[i];

		if (item->len != n || (choice == CHOICE_BUILD ? strncasecmp(item->text, text, n)
							      : memcmp(item->text, text, n)) != 0)
			continue;
		selection->known[choice][i] = true;
		is_chosen = true;
	}
	return is_chosen;
}

void selection_note(struct selection *selection, enum choice choice, const char *text, size_t n)
{
	(void)choose(selection, choice, text, n);
}

static bool choose_text(struct selection *selection, enum choice choice, const char *text)
{
	return choose(selection, choice, text ? text : "", text ? strlen(text) : 0);
}

/* All lists are asked, so that what is known becomes known. */
static bool chooses_process(struct selection *selection, const struct live_process *p,
			    const char *address)
{
	bool named = choose_text(selection, CHOICE_SERVICE, p->program);
	bool addressed = choose_text(selection, CHOICE_ADDRESS, address);
	bool built = choose_text(selection, CHOICE_BUILD, p->hash);

	return named && addressed && (built || p->state != LIVE_READ);
}

bool selection_has_build(const struct selection *selection, const struct coverage_file *file)
{
	const struct string_list *list = selection->chosen[CHOICE_BUILD];
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->items[i].len == file->tag_len &&
		    strncasecmp(list->items[i].text, coverage_tag(file), file->tag_len) == 0)
			return true;
	return !list->n;
}

/* --- processes ------------------------------------------------------------------------------- */

static struct live_process *other_of_build(struct live_report *live, const struct live_process *p)
{
	size_t i;

	for (i = 0; i < live->n; i++)
		if (&live->processes[i] != p && live->processes[i].hash &&
		    strcmp(live->processes[i].hash, p->hash) == 0)
			return &live->processes[i];
	return NULL;
}

/* Meta-data that were made for it may be those of another one that stays. */
static int forget_snapshot(struct live_report *live, const struct live_process *p,
			   struct memory_files *files, struct error *err)
{
	cleanup_buffer struct buffer meta = BUFFER_INIT;
	struct live_process *other;

	if (p->counters_file)
		memory_files_remove(files, p->counters_file);
	if (!p->wrote_meta)
		return 0;
	other = other_of_build(live, p);
	if (other) {
		other->wrote_meta = true;
		return 0;
	}
	buffer_printf(&meta, "covmeta.%s", p->hash);
	if (meta.failed)
		return error_no_memory(err);
	memory_files_remove(files, buffer_str(&meta));
	return 0;
}

int selection_keep_processes(struct selection *selection, struct live_report *live,
			     struct memory_files *files, struct error *err)
{
	struct utsname host;
	size_t i = 0;

	if (selection_is_all(selection))
		return 0;
	uname(&host);
	while (i < live->n) {
		cleanup_buffer struct buffer address = BUFFER_INIT;

		process_address(&address, host.nodename, live->processes[i].pid);
		if (address.failed)
			return error_no_memory(err);
		if (chooses_process(selection, &live->processes[i], buffer_str(&address))) {
			i++;
			continue;
		}
		if (forget_snapshot(live, &live->processes[i], files, err) < 0)
			return -1;
		live_report_remove(live, i);
	}
	return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

/* An address chooses what its process has written, and what describes that. */
static bool is_of_a_process(const struct live_report *live, const struct coverage_file *file)
{
	size_t i;

	for (i = 0; i < live->n; i++) {
		const struct live_process *p = &live->processes[i];

		if (p->state == LIVE_READ &&
		    (file->kind == COVERAGE_META ? coverage_tag_is(file, p->hash)
						 : live_is_own_file(p, file)))
			return true;
	}
	return false;
}

int selection_keep_files(struct selection *selection, struct coverage_set *set,
			 const struct live_report *live, const struct deadline *deadline,
			 struct error *err)
{
	cleanup_free bool *keep = NULL;
	size_t i;

	if (service_filter_apply(set, live, selection->chosen[CHOICE_SERVICE],
				 selection->known[CHOICE_SERVICE], deadline, err) < 0)
		return -1;
	if (!selection->chosen[CHOICE_ADDRESS]->n && !selection->chosen[CHOICE_BUILD]->n)
		return 0;
	keep = calloc(set->n_files + 1, sizeof *keep);
	if (!keep)
		return error_no_memory(err);
	for (i = 0; i < set->n_files; i++) {
		const struct coverage_file *file = &set->files[i];
		bool built = choose(selection, CHOICE_BUILD, coverage_tag(file), file->tag_len);

		keep[i] =
		    built && (!selection->chosen[CHOICE_ADDRESS]->n || is_of_a_process(live, file));
	}
	return coverage_set_keep(set, keep, err);
}

/* --- what stands for nothing ----------------------------------------------------------------- */

static size_t count_unknown(const struct selection *selection, int choice)
{
	size_t n = 0, i;

	for (i = 0; i < selection->chosen[choice]->n; i++)
		n += !selection->known[choice][i];
	return n;
}

bool selection_fails(const struct selection *selection)
{
	int i;

	for (i = 0; i < CHOICES; i++) {
		size_t n = count_unknown(selection, i);

		if (n && (!selection->force || n == selection->chosen[i]->n))
			return true;
	}
	return false;
}

static void name_unknown(const struct selection *selection, int choice, struct buffer *out)
{
	static const char *const words[] = {"service", "address", "build"};
	const struct string_list *list = selection->chosen[choice];
	size_t end = out->len + NAMED_BYTES, left = count_unknown(selection, choice), i;
	const char *between = " ";

	buffer_printf(out, "%s%s", out->len ? "; " : "", words[choice]);
	for (i = 0; i < list->n && out->len < end; i++) {
		size_t n = list->items[i].len < 128 ? list->items[i].len : 128;

		if (selection->known[choice][i])
			continue;
		buffer_puts(out, between);
		escape_plain(out, list->items[i].text, n);
		between = ", ";
		left--;
	}
	if (left)
		buffer_printf(out, " and %zu more", left);
}

void selection_name_unknown(const struct selection *selection, struct buffer *out)
{
	int i;

	for (i = 0; i < CHOICES; i++)
		if (count_unknown(selection, i))
			name_unknown(selection, i, out);
}

void selection_warn(const struct selection *selection, struct response *response)
{
	cleanup_buffer struct buffer names = BUFFER_INIT;

	selection_name_unknown(selection, &names);
	if (names.len)
		response_warn(response,
			      "left out, since there is nothing here for it: ", buffer_str(&names));
}
