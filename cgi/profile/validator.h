/*
 * Validators (RFC 9110, 8.8 and 13.1).  The ETag of a profile names what is in it, "DIGEST-FILTER":
 * the digest of the counted state, by which later requests can refer to it (`since`), and the
 * fingerprint of what the request asked of it.
 */
#ifndef GOVERAGE_PROFILE_VALIDATOR_H
#define GOVERAGE_PROFILE_VALIDATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"
#include "cgi/exchange/query.h"

enum { VALIDATOR_DIGEST = 32, VALIDATOR_MAX = 64 };

/* A number that differs when the request asks for other files, since another state, or for another
 * report. */
uint64_t validator_fingerprint(const struct query *query);

/* A number that differs when the request asks for other files, or for other names of them. */
uint64_t validator_files_fingerprint(const struct query *query);

/* Write the ETag, with its quotes, into out. */
void validator_format(char out[VALIDATOR_MAX], const char *digest, uint64_t fingerprint);

/*
 * Does If-None-Match (a list of ETags, or "*") name this one?  Compared weakly, and whatever a web
 * server that compresses has put behind it ("-gzip") is passed over.
 */
bool validator_matches(const char *if_none_match, const char *etag);

/*
 * The digest in an ETag, with or without W/ and quotes, or alone: out becomes its 32 hexadecimal
 * digits. -1 when the text is none.
 */
must_check int validator_parse(const char *text, char out[VALIDATOR_DIGEST + 1]);

#endif
