#include "cgi/text/text_renewal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/text/textfmt_line.h"

/* Room for numbers that grow, as a share of the text. */
enum { GROWTH = 32 };

struct text_renewal {
	atomic_uint users;
	struct text_form *form;	   /* owned */
	pthread_mutex_t lock;	   /* for all below */
	struct profile_text *last; /* this is a user of it; NULL = there is none */
	const char *mode;	   /* what its mode line says; a constant */
	uint32_t *shown;	   /* owned; for each count of the form what is there */
};

struct text_renewal *text_renewal_new(struct text_form *form)
{
	struct text_renewal *renewal = calloc(1, sizeof *renewal);

	if (!renewal || pthread_mutex_init(&renewal->lock, NULL) != 0) {
		free(renewal);
		text_form_free(form);
		return NULL;
	}
	atomic_init(&renewal->users, 1);
	renewal->form = form;
	return renewal;
}

const struct text_form *text_renewal_form(const struct text_renewal *renewal)
{
	return renewal->form;
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
static size_t patch(struct text_renewal *renewal, const struct covprofile *profile, char *text,
		    size_t *at)
{
	const struct text_form *form = renewal->form;
	uint32_t *shown = renewal->shown;
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

static void note_shown(struct text_renewal *renewal, const struct covprofile *profile, size_t from)
{
	bool once = covprofile_is_set(profile);

	for (; from < renewal->form->n_counts; from++)
		renewal->shown[from] = count_of(renewal->form, from, profile, once);
}

/* Can the last text become this one?  Then this is its only user, and nobody else can become one.
 */
static bool is_free(const struct text_renewal *renewal, const char *mode, size_t size)
{
	return renewal->last && atomic_load(&renewal->last->users) == 1 &&
	       strcmp(renewal->mode, mode) == 0 && renewal->last->room >= size;
}

static void renew(struct text_renewal *renewal, const struct covprofile *profile, size_t size)
{
	struct profile_text *text = renewal->last;
	struct text_out out = {.buf = text->bytes, .cap = text->room};
	size_t i;

	out.used = textfmt_mode_length(renewal->mode);
	i = patch(renewal, profile, text->bytes, &out.used);
	if (i < renewal->form->n_counts) { /* lines move */
		profile_text_rewrite(text);
		text_form_write_rest(renewal->form, profile, i, &out);
		note_shown(renewal, profile, i);
	}
	text->len = size;
}

static int make_shown(struct text_renewal *renewal, struct error *err)
{
	if (!renewal->shown)
		renewal->shown = malloc((renewal->form->n_counts + 1) * sizeof *renewal->shown);
	return renewal->shown ? 0 : error_no_memory(err);
}

/* A text of its own, which becomes the last one. */
static int write_anew(struct text_renewal *renewal, const struct covprofile *profile,
		      const char *mode, size_t size, struct error *err)
{
	size_t room = size + size / GROWTH + TEXTFMT_TAIL_MAX;
	struct text_out out = {.cap = room};
	struct profile_text *text;

	if (make_shown(renewal, err) < 0)
		return -1;
	text = profile_text_new(room, err);
	if (!text)
		return -1;
	out.buf = text->bytes;
	textfmt_write_mode(mode, &out);
	text_form_write(renewal->form, profile, &out);
	note_shown(renewal, profile, 0);
	text->len = out.used;
	profile_text_release(renewal->last);
	renewal->last = text;
	renewal->mode = mode;
	return 0;
}

struct profile_text *text_renewal_make(struct text_renewal *renewal,
				       const struct covprofile *profile, const char *mode,
				       size_t size, struct error *err)
{
	struct profile_text *text = NULL;
	int rc = 0;

	pthread_mutex_lock(&renewal->lock);
	if (is_free(renewal, mode, size))
		renew(renewal, profile, size);
	else
		rc = write_anew(renewal, profile, mode, size, err);
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

/* One that others have, too, is theirs to count; so is one that is being made. */
static size_t memory_of_last(struct text_renewal *renewal)
{
	size_t bytes = 0;

	if (pthread_mutex_trylock(&renewal->lock) != 0)
		return 0;
	if (renewal->last && atomic_load(&renewal->last->users) == 1)
		bytes = renewal->last->room;
	pthread_mutex_unlock(&renewal->lock);
	return bytes;
}

size_t text_renewal_memory(struct text_renewal *renewal)
{
	const struct text_form *form = renewal->form;

	return sizeof *renewal + text_form_memory(form) + form->n_counts * sizeof *renewal->shown +
	       memory_of_last(renewal);
}

struct text_renewal *text_renewal_use(struct text_renewal *renewal)
{
	atomic_fetch_add(&renewal->users, 1);
	return renewal;
}

void text_renewal_release(struct text_renewal *renewal)
{
	if (!renewal || atomic_fetch_sub(&renewal->users, 1) != 1)
		return;
	profile_text_release(renewal->last);
	text_form_free(renewal->form);
	free(renewal->shown);
	pthread_mutex_destroy(&renewal->lock);
	free(renewal);
}
