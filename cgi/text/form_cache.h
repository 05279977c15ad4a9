/*
 * The forms (see text_form.h) of the profiles that were printed more than once, each with its last
 * text, the youngest first, within a number of bytes; a text that others keep, too, is not counted.
 * Used by any number of threads.
 */
#ifndef GOVERAGE_TEXT_FORM_CACHE_H
#define GOVERAGE_TEXT_FORM_CACHE_H

#include <stddef.h>

#include "cgi/base/cleanup.h"
#include "cgi/sum/covprofile.h"
#include "cgi/text/text_renewal.h"

struct form_cache;

/* One that keeps at most `budget` bytes.  NULL when out of memory. */
must_check struct form_cache *form_cache_new(size_t budget);

/*
 * The form of a profile, with the caller as a user: made when a profile with the same packages
 * comes for the second time.  NULL where there is none: then the text is to be made line by line.
 */
struct text_renewal *form_cache_get(struct form_cache *cache, const struct covprofile *profile);

void form_cache_free(struct form_cache *cache);

#endif
