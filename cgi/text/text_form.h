/*
 * The text of a profile with every count 0, and where the counts stand: from it the text of any
 * profile with the same packages is made by copying, several times faster than by formatting.  It
 * is made for profiles that are printed again and again while their counters change.
 */
#ifndef GOVERAGE_TEXT_TEXT_FORM_H
#define GOVERAGE_TEXT_TEXT_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/sum/covprofile.h"
#include "cgi/text/text_out.h"

/* Where the count of a line stands, and which counter it shows. */
struct form_count {
	uint32_t at; /* offset in the text, of one '0' */
	uint32_t counter;
};

/* Immutable. */
struct text_form {
	struct profile_part
	    *parts; /* owned; those of the profile; of their packages this is a user */
	uint32_t n_parts;
	char *text; /* owned; without the mode line */
	size_t text_len;
	struct form_count *counts; /* owned; in the order of the text */
	size_t n_counts;
};

/*
 * Make the form of a profile; the caller owns it.  NULL with ERROR_NONE in *err where it has none,
 * because lines join several counters; with ERROR_UNAVAILABLE when out of memory.
 */
must_check struct text_form *text_form_make(const struct covprofile *profile, struct error *err);

/* Is this the form of the profile? */
bool text_form_fits(const struct text_form *form, const struct covprofile *profile);

/* Bytes of the text of a profile that the form fits, without the mode line. */
size_t text_form_size(const struct text_form *form, const struct covprofile *profile);

/* Write the text of a profile that the form fits, without the mode line. */
void text_form_write(const struct text_form *form, const struct covprofile *profile,
		     struct text_out *out);

/* The end of it: from the digits of count number `first` on. */
void text_form_write_rest(const struct text_form *form, const struct covprofile *profile,
			  size_t first, struct text_out *out);

/* Bytes of memory that it takes, the packages aside. */
size_t text_form_memory(const struct text_form *form);

/* NULL is fine. */
void text_form_free(struct text_form *form);

static inline void cleanup_text_form_fn(struct text_form **form)
{
	text_form_free(*form);
}

#define cleanup_text_form cleanup_with(cleanup_text_form_fn)

#endif
