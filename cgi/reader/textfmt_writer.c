#include "cgi/reader/textfmt_writer.h"

#include <string.h>

#include "cgi/coverage/coverage_list.h"
#include "cgi/reader/form_cache.h"
#include "cgi/reader/text_out.h"
#include "cgi/reader/textfmt_line.h"
#include "cgi/reader/unit_rows.h"

enum { DEADLINE_STEP = 16 }; /* packages between two looks at the deadline */

struct writing {
	const struct covprofile *profile;
	const uint32_t *parts;	       /* indexes into profile->parts, by import path */
	struct counted_package *group; /* owned; room for all parts */
	struct text_out out;
};

static void writing_free(struct writing *w)
{
	free(w->group);
	text_out_close(&w->out);
}

#define cleanup_writing cleanup_with(writing_free)

static void write_rows(struct text_out *out, const struct unit_rows *rows, bool once)
{
	size_t file, i = 0;

	for (file = 0; file < rows->n_files; file++)
		for (; i < rows->file_ends[file]; i++) {
			uint32_t unit = rows->order[i], count = rows->counters[unit];
			char *at = text_out_room(out, rows->files[file].len + TEXTFMT_TAIL_MAX);

			at = textfmt_put_block(at, rows->files[file], &rows->units[unit]);
			at = text_put_decimal(at, once ? count != 0 : count);
			*at++ = '\n';
			text_out_used(out, at);
		}
}

/* Write the packages with the import path of parts[from]; returns how many those are, or -1. */
static ssize_t write_group(struct writing *w, uint32_t from, struct error *err)
{
	cleanup_unit_rows struct unit_rows rows = UNIT_ROWS_INIT;
	const struct covprofile *profile = w->profile;
	bool once = covprofile_is_set(profile);
	uint32_t end = covprofile_group_end(profile, w->parts, from), i;

	for (i = from; i < end; i++) {
		const struct profile_part *part = &profile->parts[w->parts[i]];

		w->group[i - from] = (struct counted_package){
		    part->package, profile->counters + part->first_counter};
	}
	if (unit_rows_make(&rows, w->group, end - from, once, err) < 0)
		return -1;
	write_rows(&w->out, &rows, once);
	return end - from;
}

static size_t longest_file_name(const struct covprofile *profile)
{
	size_t longest = 0;
	uint32_t i, j;

	for (i = 0; i < profile->n_parts; i++)
		for (j = 0; j < profile->parts[i].package->n_files; j++)
			if (profile->parts[i].package->files[j].len > longest)
				longest = profile->parts[i].package->files[j].len;
	return longest;
}

static void write_mode(struct text_out *out, const struct covprofile *profile)
{
	const char *name =
	    counter_mode_name(covprofile_is_set(profile) ? COUNTER_MODE_SET : profile->mode);
	char *at = text_put_bytes(text_out_room(out, 32), "mode: ", 6);

	at = text_put_bytes(at, name, strlen(name));
	*at++ = '\n';
	text_out_used(out, at);
}

static int write_groups(struct writing *w, const struct deadline *deadline, struct error *err)
{
	uint32_t done = 0, groups = 0;

	while (done < w->profile->n_parts) {
		ssize_t n = write_group(w, done, err);

		if (n < 0)
			return -1;
		done += (uint32_t)n;
		if (groups++ % DEADLINE_STEP == 0 && coverage_check_deadline(deadline, err) < 0)
			return -1;
	}
	return 0;
}

/* Line by line. */
static int write_lines(struct writing *w, const struct deadline *deadline, struct error *err)
{
	cleanup_free uint32_t *parts = covprofile_sorted_parts(w->profile, err);

	if (!parts)
		return -1;
	w->parts = parts;
	w->group = calloc(w->profile->n_parts + 1, sizeof *w->group);
	if (!w->group)
		return error_no_memory(err);
	return write_groups(w, deadline, err);
}

int textfmt_write(const struct covprofile *profile, int fd, uint64_t *size,
		  const struct deadline *deadline, struct error *err)
{
	cleanup_text_form struct text_form *form = NULL;
	cleanup_writing struct writing w = {.profile = profile};

	if (profile->forms)
		form = form_cache_get(profile->forms, profile);
	if (text_out_open(&w.out, fd, longest_file_name(profile) + TEXTFMT_TAIL_MAX, err) < 0)
		return -1;
	write_mode(&w.out, profile);
	if (form)
		text_form_write(form, profile, &w.out);
	else if (write_lines(&w, deadline, err) < 0)
		return -1;
	if (text_out_finish(&w.out, err) < 0)
		return -1;
	*size = w.out.written;
	return 0;
}
