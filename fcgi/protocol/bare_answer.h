/* An answer without libfcgi, for the request that it can't be handed: out of descriptors, or of
 * memory. */
#ifndef GOVERAGE_FCGI_PROTOCOL_BARE_ANSWER_H
#define GOVERAGE_FCGI_PROTOCOL_BARE_ANSWER_H

#include "cgi/base/error.h"

/*
 * Answer the request of this id, whose head was taken from the connection, with the error, end it,
 * and drop what its peer still sends, for a moment.  The connection is not closed.
 */
void bare_answer(int connection, int request_id, const struct error *error);

#endif
