/*
 * The text of a profile with every count 0, and where the counts stand: from it the text of any
 * profile with the same packages is made by copying, several times faster than by formatting.  It
 * is made for profiles that are printed again and again while their counters change.
 */
#ifndef GOVERAGE_TEXT_TEXT_TEMPLATE_H
#define GOVERAGE_TEXT_TEXT_TEMPLATE_H

#include <stddef.h>

#include "cgi/sum/covprofile.h"
#include "cgi/text/text_out.h"

struct text_template;

/*
 * The template of a profile, as long as the profile lives: made when one with the same packages is
 * printed for the second time.  NULL where there is none: then the text is to be made line by line.
 */
const struct text_template *text_template_of(struct covprofile *profile);

/* Bytes of the text of the profile, without the mode line. */
size_t text_template_size(const struct text_template *template, const struct covprofile *profile);

/* Write the text of the profile, without the mode line. */
void text_template_write(const struct text_template *template, const struct covprofile *profile,
			 struct text_out *out);

#endif
