/*
 * The text of a form, made again and again while its counters change: where nobody else has the
 * last one any more it is brought up to date in place.  A few counts in megabytes of text are
 * written in no time, and memory that was never touched, which costs more than the writing, need
 * not be found.  For any number of threads.
 */
#ifndef GOVERAGE_READER_TEXT_RENEWAL_H
#define GOVERAGE_READER_TEXT_RENEWAL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/coverage/profile_text.h"

struct covprofile;
struct text_form;

/* Part of a form. */
struct text_renewal {
	pthread_mutex_t lock;	   /* for all below */
	struct profile_text *last; /* this is a user of it; NULL = there is none */
	const char *mode;	   /* what its mode line says; a constant */
	uint32_t *shown;	   /* owned; for each count of the form what is there */
};

void text_renewal_init(struct text_renewal *renewal);

/* The last text, or NULL.  It may be gone at any time: to be compared with others, no more. */
const struct profile_text *text_renewal_last(struct text_renewal *renewal);

/*
 * The text of a profile that the form fits, `size` bytes with the mode line for `mode` (a
 * constant); the caller becomes a user of it.  NULL: ERROR_UNAVAILABLE.
 */
must_check struct profile_text *text_renewal_make(struct text_form *form,
						  const struct covprofile *profile,
						  const char *mode, size_t size, struct error *err);

void text_renewal_free(struct text_renewal *renewal);

#endif
