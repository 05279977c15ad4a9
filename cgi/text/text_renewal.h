/*
 * The text of a form, made again and again while its counters change: where nobody else has the
 * last one any more it is brought up to date in place.  A few counts in megabytes of text are
 * written in no time, and memory that was never touched, which costs more than the writing, need
 * not be found.  It counts its users, and serves any number of threads.
 */
#ifndef GOVERAGE_TEXT_TEXT_RENEWAL_H
#define GOVERAGE_TEXT_TEXT_RENEWAL_H

#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/text/profile_text.h"
#include "cgi/text/text_form.h"

struct text_renewal;

/* One with one user, for texts of the form, which it owns from now on.  NULL without memory: then
 * the form is freed. */
must_check struct text_renewal *text_renewal_new(struct text_form *form);

/* It lives as long as the renewal. */
const struct text_form *text_renewal_form(const struct text_renewal *renewal);

/* The last text, or NULL.  It may be gone at any time: to be compared with others, no more. */
const struct profile_text *text_renewal_last(struct text_renewal *renewal);

/*
 * The text of a profile that the form fits, `size` bytes with the mode line for `mode` (a
 * constant); the caller becomes a user of it.  NULL: ERROR_UNAVAILABLE.
 */
must_check struct profile_text *text_renewal_make(struct text_renewal *renewal,
						  const struct covprofile *profile,
						  const char *mode, size_t size, struct error *err);

/* Bytes of memory that it takes, the packages aside, and the last text where others have it, too.
 */
size_t text_renewal_memory(struct text_renewal *renewal);

struct text_renewal *text_renewal_use(struct text_renewal *renewal);
void text_renewal_release(struct text_renewal *renewal);

#endif
