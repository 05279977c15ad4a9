#include "cgi/text/textfmt_writer.h"

#include <string.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/format/unit_rows.h"
#include "cgi/text/file_index.h"
#include "cgi/text/text_template.h"
#include "cgi/text/textfmt_line.h"

enum {
	DEADLINE_STEP = 16, /* packages between two looks at the deadline */
	GROWTH = 32,	    /* room for numbers that grow, as a share of the text */
};

/* The packages of one import path. */
struct path_group {
	uint32_t from, end;	  /* indexes into parts */
	struct unit_rows *joined; /* owned; NULL where it is one package, as it is */
};

struct textfmt_writer {
	struct covprofile *profile;	      /* this is a user of it */
	bool once;			      /* counters tell only whether a unit was covered */
	const struct text_template *template; /* NULL = line by line */
	uint32_t *parts;	   /* owned; indexes into profile->parts, by import path */
	struct path_group *groups; /* owned; in the order of the text */
	uint32_t n_groups;
	struct counted_package *packages; /* owned; room for those of one group */
	struct unit_rows rows;		  /* of one package at a time; its memory is used again */
	struct file_index files; /* of all that have lines, of the text before it is filtered */
	bool *keep;		 /* owned; for each file; NULL = all stay */
	size_t longest_line;
	size_t size;
	char *room; /* owned; for a piece of the text on its way to a sink */
};

/* --- measuring ------------------------------------------------------------------------------- */

static int take_groups(struct textfmt_writer *w, struct error *err)
{
	uint32_t from, n = w->profile->n_parts;

	w->parts = covprofile_sorted_parts(w->profile, err);
	if (!w->parts)
		return -1;
	w->groups = calloc(n + 1, sizeof *w->groups);
	w->packages = calloc(n + 1, sizeof *w->packages);
	if (!w->groups || !w->packages)
		return error_no_memory(err);
	for (from = 0; from < n; from = w->groups[w->n_groups++].end)
		w->groups[w->n_groups] = (struct path_group){
		    from, covprofile_group_end(w->profile, w->parts, from), NULL};
	return 0;
}

static void take_packages(struct textfmt_writer *w, const struct path_group *group)
{
	uint32_t i;

	for (i = group->from; i < group->end; i++) {
		const struct profile_part *part = &w->profile->parts[w->parts[i]];

		w->packages[i - group->from] = (struct counted_package){
		    part->package, w->profile->counters + part->first_counter};
	}
}

/*
 * The rows of a group, until the next call.  Those that had to be joined are made once and stay;
 * the others are decoded again each time, in memory that the first time has found to be enough.
 */
static const struct unit_rows *rows_of(struct textfmt_writer *w, struct path_group *group,
				       struct error *err)
{
	uint32_t n = group->end - group->from;

	if (group->joined)
		return group->joined;
	take_packages(w, group);
	if (unit_rows_are_plain(w->packages, n))
		return unit_rows_make(&w->rows, w->packages, n, w->once, err) < 0 ? NULL : &w->rows;
	group->joined = calloc(1, sizeof *group->joined);
	if (!group->joined) {
		error_no_memory(err);
		return NULL;
	}
	return unit_rows_make(group->joined, w->packages, n, w->once, err) < 0 ? NULL
									       : group->joined;
}

static inline uint32_t shown(const struct textfmt_writer *w, const struct unit_rows *rows,
			     uint32_t unit)
{
	return w->once ? rows->counters[unit] != 0 : rows->counters[unit];
}

static int measure_rows(struct textfmt_writer *w, const struct unit_rows *rows, struct error *err)
{
	size_t file, i = 0;

	for (file = 0; file < rows->n_files; file++) {
		const char *name = rows->files[file].text;
		size_t name_len = rows->files[file].len, size = 0, start = i;

		for (; i < rows->file_ends[file]; i++)
			size += textfmt_line_length(name_len, &rows->units[rows->order[i]],
						    shown(w, rows, rows->order[i]));
		if (i > start &&
		    file_index_add(&w->files, (struct path_ref){name, name_len}, size, err) < 0)
			return -1;
		if (name_len + TEXTFMT_TAIL_MAX > w->longest_line)
			w->longest_line = name_len + TEXTFMT_TAIL_MAX;
	}
	return 0;
}

static int measure_groups(struct textfmt_writer *w, const struct deadline *deadline,
			  struct error *err)
{
	uint32_t i;

	for (i = 0; i < w->n_groups; i++) {
		const struct unit_rows *rows = rows_of(w, &w->groups[i], err);

		if (!rows || measure_rows(w, rows, err) < 0 ||
		    (i % DEADLINE_STEP == 0 && coverage_check_deadline(deadline, err) < 0))
			return -1;
	}
	return 0;
}

static int choose_files(struct textfmt_writer *w, struct path_filter *filter, struct error *err)
{
	size_t i;

	if (filter && !path_filter_is_empty(filter)) {
		w->keep = calloc(w->files.n + 1, sizeof *w->keep);
		if (!w->keep)
			return error_no_memory(err);
		if (path_filter_apply(filter, w->files.paths, w->files.n, w->keep, err) < 0)
			return -1;
	}
	for (i = 0; i < w->files.n; i++)
		if (!w->keep || w->keep[i])
			w->size += w->files.runs[i].len;
	return 0;
}

static const char *mode_name(const struct textfmt_writer *w)
{
	return counter_mode_name(w->once ? COUNTER_MODE_SET : w->profile->mode);
}

static int measure(struct textfmt_writer *w, struct path_filter *filter,
		   const struct deadline *deadline, struct error *err)
{
	w->size = w->files.mode_len = textfmt_mode_length(mode_name(w));
	if (w->template) {
		w->size += text_template_size(w->template, w->profile);
		return 0;
	}
	if (take_groups(w, err) < 0 || measure_groups(w, deadline, err) < 0)
		return -1;
	return choose_files(w, filter, err);
}

struct textfmt_writer *textfmt_writer_new(struct covprofile *profile, struct path_filter *filter,
					  const struct deadline *deadline, struct error *err)
{
	cleanup_textfmt_writer struct textfmt_writer *w = calloc(1, sizeof *w);

	if (!w) {
		error_no_memory(err);
		return NULL;
	}
	w->profile = covprofile_use(profile);
	w->once = covprofile_is_set(profile);
	w->longest_line = TEXTFMT_TAIL_MAX;
	/* a template doesn't tell where the files are */
	if (!filter || path_filter_is_empty(filter))
		w->template = text_template_of(profile);
	if (measure(w, filter, deadline, err) < 0)
		return NULL;
	w->room = malloc(TEXT_OUT_ROOM + w->longest_line);
	if (!w->room) {
		error_no_memory(err);
		return NULL;
	}
	return steal_ptr(w);
}

size_t textfmt_writer_size(const struct textfmt_writer *writer)
{
	return writer->size;
}

/* --- writing --------------------------------------------------------------------------------- */

static void write_lines(const struct textfmt_writer *w, const struct unit_rows *rows, size_t from,
			size_t end, struct string_ref file, struct text_out *out)
{
	size_t i;

	for (i = from; i < end; i++) {
		uint32_t unit = rows->order[i];
		char *at = text_out_room(out, file.len + TEXTFMT_TAIL_MAX);

		at = textfmt_put_block(at, file, &rows->units[unit]);
		at = text_put_decimal(at, shown(w, rows, unit));
		*at++ = '\n';
		text_out_used(out, at);
	}
}

/* *file: how many files with lines have come before; it is moved on. */
static void write_rows(const struct textfmt_writer *w, const struct unit_rows *rows, size_t *file,
		       struct text_out *out)
{
	size_t k, from = 0;

	for (k = 0; k < rows->n_files; k++) {
		size_t end = rows->file_ends[k];

		if (end > from && (!w->keep || w->keep[*file]))
			write_lines(w, rows, from, end, rows->files[k], out);
		*file += end > from;
		from = end;
	}
}

static void write_all(struct textfmt_writer *w, struct text_out *out)
{
	size_t file = 0;
	uint32_t i;

	textfmt_write_mode(mode_name(w), out);
	if (w->template)
		text_template_write(w->template, w->profile, out);
	for (i = 0; i < w->n_groups; i++)
		/* measuring has had the memory for it: this can't fail any more */
		write_rows(w, rows_of(w, &w->groups[i], NULL), &file, out);
}

int textfmt_writer_send(struct textfmt_writer *writer, text_sink *sink, void *to)
{
	struct text_out out = {.sink = sink,
			       .to = to,
			       .buf = writer->room,
			       .cap = TEXT_OUT_ROOM + writer->longest_line};

	write_all(writer, &out);
	return text_out_finish(&out);
}

struct profile_text *textfmt_writer_text(struct textfmt_writer *writer, struct profile_text *again,
					 struct error *err)
{
	cleanup_profile_text struct profile_text *text = again;
	size_t room = writer->size + writer->longest_line;
	struct text_out out;

	if (text && text->room < room)
		profile_text_release(steal_ptr(text));
	if (text)
		profile_text_rewrite(text);
	else
		text = profile_text_new(room + writer->size / GROWTH, err);
	if (!text)
		return NULL;
	out = (struct text_out){.buf = text->bytes, .cap = text->room};
	write_all(writer, &out);
	text->len = out.used;
	return steal_ptr(text);
}

void textfmt_writer_free(struct textfmt_writer *writer)
{
	uint32_t i;

	if (!writer)
		return;
	for (i = 0; i < writer->n_groups; i++)
		if (writer->groups[i].joined) {
			unit_rows_free(writer->groups[i].joined);
			free(writer->groups[i].joined);
		}
	unit_rows_free(&writer->rows);
	covprofile_release(writer->profile);
	free(writer->parts);
	free(writer->groups);
	free(writer->packages);
	file_index_clear(&writer->files);
	free(writer->keep);
	free(writer->room);
	free(writer);
}
