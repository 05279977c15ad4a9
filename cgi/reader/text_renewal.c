#include "cgi/reader/text_renewal.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/reader/text_form.h"
#include "cgi/reader/textfmt_line.h"

/* Room for numbers that grow, as a share of the text. */
enum { GROWTH = 32 };

void text_renewal_init(struct text_renewal *renewal)
{
	*renewal = (struct text_renewal){.last = NULL};
	pthread_mutex_init(&renewal->lock, NULL);
}

static inline uint32_t count_of(const struct text_form *form, size_t i,
				const struct covprofile *profile, bool once)
{
	uint32_t value = profile->counters[form->counts[i].counter];

	return once ? value != 0 : value;
}

/*
 * Write the counts that differ from those that are shown, up to the first one that has more or
 * fewer digits.  Returns its number, and in *at the place of its digits; or how many counts there
 * are.
 */
static size_t patch(struct text_form *form, const struct covprofile *profile, char *text,
		    size_t *at)
{
	uint32_t *shown = form->renewal.shown;
	bool once = covprofile_is_set(profile);
	size_t shift = *at, i;

	for (i = 0; i < form->n_counts; i++) {
		uint32_t value = count_of(form, i, profile, once);
		unsigned digits = text_decimal_length(shown[i]);

		if (value != shown[i]) {
			*at = form->counts[i].at + shift;
			if (text_decimal_length(value) != digits)
				break;
			text_put_decimal(text + *at, value);
			shown[i] = value;
		}
		shift += digits - 1;
	}
	return i;
}

static void note_shown(struct text_form *form, const struct covprofile *profile, size_t from)
{
	bool once = covprofile_is_set(profile);

	for (; from < form->n_counts; from++)
		form->renewal.shown[from] = count_of(form, from, profile, once);
}

/* Can the last text become this one?  Then this is its only user, and nobody else can become one.
 */
static bool is_free(const struct text_renewal *renewal, const char *mode, size_t size)
{
	return renewal->last && atomic_load(&renewal->last->users) == 1 &&
	       strcmp(renewal->mode, mode) == 0 && renewal->last->room >= size;
}

static void renew(struct text_form *form, const struct covprofile *profile, size_t size)
{
	struct profile_text *text = form->renewal.last;
	struct text_out out = {.buf = text->bytes, .cap = text->room};
	size_t i;

	out.used = strlen("mode: \n") + strlen(form->renewal.mode);
	i = patch(form, profile, text->bytes, &out.used);
	if (i < form->n_counts) { /* lines move */
		profile_text_rewrite(text);
		text_form_write_rest(form, profile, i, &out);
		note_shown(form, profile, i);
	}
	text->len = size;
}

/* A text of its own, which becomes the last one. */
static int write_anew(struct text_form *form, const struct covprofile *profile, const char *mode,
		      size_t size, struct error *err)
{
	struct text_renewal *renewal = &form->renewal;
	size_t room = size + size / GROWTH + TEXTFMT_TAIL_MAX;
	struct text_out out = {.cap = room};
	struct profile_text *text;

	if (!renewal->shown) {
		renewal->shown = malloc((form->n_counts + 1) * sizeof *renewal->shown);
		if (!renewal->shown)
			return error_no_memory(err);
	}
	text = profile_text_new(room, err);
	if (!text)
		return -1;
	out.buf = text->bytes;
	textfmt_write_mode(mode, &out);
	text_form_write(form, profile, &out);
	note_shown(form, profile, 0);
	text->len = out.used;
	profile_text_release(renewal->last);
	renewal->last = text;
	renewal->mode = mode;
	return 0;
}

struct profile_text *text_renewal_make(struct text_form *form, const struct covprofile *profile,
				       const char *mode, size_t size, struct error *err)
{
	struct text_renewal *renewal = &form->renewal;
	struct profile_text *text = NULL;
	int rc = 0;

	pthread_mutex_lock(&renewal->lock);
	if (is_free(renewal, mode, size))
		renew(form, profile, size);
	else
		rc = write_anew(form, profile, mode, size, err);
	if (rc == 0)
		text = profile_text_use(renewal->last);
	pthread_mutex_unlock(&renewal->lock);
	return text;
}

const struct profile_text *text_renewal_last(struct text_renewal *renewal)
{
	const struct profile_text *last;

	pthread_mutex_lock(&renewal->lock);
	last = renewal->last;
	pthread_mutex_unlock(&renewal->lock);
	return last;
}

void text_renewal_free(struct text_renewal *renewal)
{
	profile_text_release(renewal->last);
	free(renewal->shown);
	pthread_mutex_destroy(&renewal->lock);
}
