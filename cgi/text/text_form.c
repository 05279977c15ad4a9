#include "cgi/text/text_form.h"

#include <string.h>

#include "cgi/text/textfmt_line.h"
#include "cgi/format/unit_rows.h"

/* A form on its way. */
struct forming {
	const struct covprofile *profile;
	struct text_form *form;
	size_t text_cap;
};

static bool can_be_formed(const struct covprofile *profile, const uint32_t *sorted)
{
	uint32_t i;

	for (i = 0; i < profile->n_parts; i++)
		if (profile->parts[i].package->repeats ||
		    covprofile_group_end(profile, sorted, i) != i + 1)
			return false;
	return true;
}

static int take_parts(struct forming *f)
{
	const struct covprofile *profile = f->profile;
	struct text_form *form = f->form;

	form->parts = malloc((profile->n_parts + 1) * sizeof *form->parts);
	form->counts = malloc((profile->n_counters + 1) * sizeof *form->counts);
	if (!form->parts || !form->counts)
		return -1;
	for (; form->n_parts < profile->n_parts; form->n_parts++) {
		form->parts[form->n_parts] = profile->parts[form->n_parts];
		covpackage_use(form->parts[form->n_parts].package);
	}
	return 0;
}

/* Room for n more bytes of text. */
static char *reserve(struct forming *f, size_t n)
{
	size_t need = f->form->text_len + n, cap = f->text_cap ? f->text_cap : TEXT_OUT_ROOM;
	char *text;

	if (need > UINT32_MAX)
		return NULL;
	if (need > f->text_cap) {
		while (cap < need)
			cap += cap / 2;
		text = realloc(f->form->text, cap);
		if (!text)
			return NULL;
		f->form->text = text;
		f->text_cap = cap;
	}
	return f->form->text + f->form->text_len;
}

static int form_rows(struct forming *f, const struct unit_rows *rows, uint32_t first_counter)
{
	struct text_form *form = f->form;
	size_t file, i = 0;

	for (file = 0; file < rows->n_files; file++)
		for (; i < rows->file_ends[file]; i++) {
			uint32_t unit = rows->order[i];
			char *at = reserve(f, rows->files[file].len + TEXTFMT_TAIL_MAX);

			if (!at)
				return -1;
			at = textfmt_put_block(at, rows->files[file], &rows->units[unit]);
			form->counts[form->n_counts++] =
			    (struct form_count){(uint32_t)(at - form->text), first_counter + unit};
			*at++ = '0';
			*at++ = '\n';
			form->text_len = (size_t)(at - form->text);
		}
	return 0;
}

static int form_part(struct forming *f, const struct profile_part *part)
{
	cleanup_unit_rows struct unit_rows rows = UNIT_ROWS_INIT;
	const struct counted_package counted = {part->package,
						f->profile->counters + part->first_counter};

	if (unit_rows_make(&rows, &counted, 1, false, NULL) < 0)
		return -1;
	return form_rows(f, &rows, (uint32_t)part->first_counter);
}

struct text_form *text_form_make(const struct covprofile *profile, struct error *err)
{
	cleanup_free uint32_t *sorted = covprofile_sorted_parts(profile, err);
	cleanup_text_form struct text_form *form = NULL;
	struct forming forming;
	uint32_t i;
	int rc;

	*err = (struct error){0};
	if (sorted && !can_be_formed(profile, sorted))
		return NULL;
	form = calloc(1, sizeof *form);
	if (!sorted || !form) {
		error_no_memory(err);
		return NULL;
	}
	forming = (struct forming){profile, form, 0};
	rc = take_parts(&forming);
	for (i = 0; rc == 0 && i < profile->n_parts; i++)
		rc = form_part(&forming, &profile->parts[sorted[i]]);
	if (rc < 0) {
		error_no_memory(err);
		return NULL;
	}
	return steal_ptr(form);
}

bool text_form_fits(const struct text_form *form, const struct covprofile *profile)
{
	return form->n_parts == profile->n_parts &&
	       profile_parts_equal(form->parts, profile->parts, form->n_parts);
}

size_t text_form_size(const struct text_form *form, const struct covprofile *profile)
{
	size_t size = form->text_len, i;

	if (covprofile_is_set(profile))
		return size;
	for (i = 0; i < form->n_counts; i++)
		size += text_decimal_length(profile->counters[form->counts[i].counter]) - 1;
	return size;
}

/* Write from the byte `from` of the form on, before count number `first`. */
static void write_from(const struct text_form *form, const struct covprofile *profile, size_t from,
		       size_t first, struct text_out *out)
{
	const struct form_count *count = form->counts + first, *end = form->counts + form->n_counts;
	bool once = covprofile_is_set(profile);
	char *at;

	for (; count < end; count++) {
		uint32_t value = profile->counters[count->counter];

		if (!value)
			continue;
		text_out_bytes(out, form->text + from, count->at - from);
		at = text_out_room(out, DECIMAL_MAX);
		text_out_used(out, text_put_decimal(at, once ? 1 : value));
		from = count->at + 1;
	}
	text_out_bytes(out, form->text + from, form->text_len - from);
}

void text_form_write(const struct text_form *form, const struct covprofile *profile,
		     struct text_out *out)
{
	write_from(form, profile, 0, 0, out);
}

void text_form_write_rest(const struct text_form *form, const struct covprofile *profile,
			  size_t first, struct text_out *out)
{
	write_from(form, profile, form->counts[first].at, first, out);
}

size_t text_form_memory(const struct text_form *form)
{
	return sizeof *form + form->n_parts * sizeof *form->parts + form->text_len +
	       form->n_counts * sizeof *form->counts;
}

void text_form_free(struct text_form *form)
{
	uint32_t i;

	if (!form)
		return;
	for (i = 0; i < form->n_parts; i++)
		covpackage_release(form->parts[i].package);
	free(form->parts);
	free(form->text);
	free(form->counts);
	free(form);
}
