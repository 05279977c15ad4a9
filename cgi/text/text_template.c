#include "cgi/text/text_template.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/base/array.h"
#include "cgi/format/unit_rows.h"
#include "cgi/text/textfmt_line.h"

/* Where the count of a line stands, and which counter it shows. */
struct template_count {
	uint32_t at; /* offset in the text, of one '0' */
	uint32_t counter;
};

/* Immutable. */
struct text_template {
	char *text; /* owned; without the mode line; NULL = it can't be had of these packages */
	size_t text_len, text_cap;
	struct template_count *counts; /* owned; in the order of the text */
	size_t n_counts;
};

static void free_template(void *template_)
{
	struct text_template *template = template_;

	free(template->text);
	free(template->counts);
	free(template);
}

/* --- making one ------------------------------------------------------------------------------ */

/* Does each line show one counter? */
static bool is_plain(const struct covprofile *profile, const uint32_t *sorted)
{
	uint32_t i;

	for (i = 0; i < profile->n_parts; i++)
		if (profile->parts[i].package->repeats ||
		    covprofile_group_end(profile, sorted, i) != i + 1)
			return false;
	return true;
}

/* Room for n more bytes of text. */
static char *reserve(struct text_template *template, size_t n)
{
	char *text;

	if (template->text_len + n > UINT32_MAX)
		return NULL;
	text = array_grow(template->text, &template->text_cap, template->text_len, n, 1);
	if (!text)
		return NULL;
	template->text = text;
	return text + template->text_len;
}

static int add_rows(struct text_template *template, const struct unit_rows *rows,
		    uint32_t first_counter)
{
	size_t file, i = 0;

	for (file = 0; file < rows->n_files; file++)
		for (; i < rows->file_ends[file]; i++) {
			uint32_t unit = rows->order[i];
			char *at = reserve(template, rows->files[file].len + TEXTFMT_TAIL_MAX);

			if (!at)
				return -1;
			at = textfmt_put_block(at, rows->files[file], &rows->units[unit]);
			template->counts[template->n_counts++] = (struct template_count){
			    (uint32_t)(at - template->text), first_counter + unit};
			*at++ = '0';
			*at++ = '\n';
			template->text_len = (size_t)(at - template->text);
		}
	return 0;
}

static int add_part(struct text_template *template, const struct covprofile *profile,
		    const struct profile_part *part)
{
	cleanup_unit_rows struct unit_rows rows = UNIT_ROWS_INIT;
	const struct counted_package counted = {part->package,
						profile->counters + part->first_counter};
	struct error ignored;

	if (unit_rows_make(&rows, &counted, 1, false, &ignored) < 0)
		return -1;
	return add_rows(template, &rows, (uint32_t)part->first_counter);
}

static int fill(struct text_template *template, const struct covprofile *profile)
{
	struct error ignored;
	cleanup_free uint32_t *sorted = covprofile_sorted_parts(profile, &ignored);
	uint32_t i;

	template->counts = malloc((profile->n_counters + 1) * sizeof *template->counts);
	if (!sorted || !template->counts || !is_plain(profile, sorted))
		return -1;
	for (i = 0; i < profile->n_parts; i++)
		if (add_part(template, profile, &profile->parts[sorted[i]]) < 0)
			return -1;
	return 0;
}

/* One that has no text where there can't be one, so that it is not tried again. */
static void *make(const struct covprofile *profile, size_t limit, size_t *bytes)
{
	struct text_template *template = calloc(1, sizeof *template);
	int rc;

	if (!template)
		return NULL;
	rc = fill(template, profile);
	*bytes =
	    sizeof *template + template->text_cap + template->n_counts * sizeof *template->counts;
	if (rc < 0 || *bytes > limit) {
		free(steal_ptr(template->text));
		free(steal_ptr(template->counts));
		*bytes = sizeof *template;
	}
	return template;
}

const struct text_template *text_template_of(struct covprofile *profile)
{
	const struct text_template *template = covprofile_derive(profile, make, free_template);

	return template && template->text ? template : NULL;
}

/* --- using it -------------------------------------------------------------------------------- */

size_t text_template_size(const struct text_template *template, const struct covprofile *profile)
{
	size_t size = template->text_len, i;

	if (covprofile_is_set(profile))
		return size;
	for (i = 0; i < template->n_counts; i++)
		size += text_decimal_length(profile->counters[template->counts[i].counter]) - 1;
	return size;
}

void text_template_write(const struct text_template *template, const struct covprofile *profile,
			 struct text_out *out)
{
	const struct template_count *count = template->counts;
	const struct template_count *end = count + template->n_counts;
	bool once = covprofile_is_set(profile);
	size_t from = 0;
	char *at;

	for (; count < end; count++) {
		uint32_t value = profile->counters[count->counter];

		if (!value)
			continue;
		text_out_bytes(out, template->text + from, count->at - from);
		at = text_out_room(out, DECIMAL_MAX);
		text_out_used(out, text_put_decimal(at, once ? 1 : value));
		from = count->at + 1;
	}
	text_out_bytes(out, template->text + from, template->text_len - from);
}
