/*
 * A look at the head of a FastCGI request (BEGIN_REQUEST and the PARAMS stream, FastCGI
 * specification 3.3 to 5.2) before libfcgi sees it.  libfcgi allocates what a name-value pair
 * announces, and some announcements end the process (CVE-2025-23016 and what its first repair
 * left): a peer's garbage must end no more than its own connection.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_PARAMS_SCAN_H
#define GOVERAGE_FCGI_PROTOCOL_PARAMS_SCAN_H

#include <stddef.h>

enum {
	PARAMS_SCAN_MAX = 96 << 10, /* bytes of records up to the end of PARAMS */
};

enum params_state { PARAMS_INCOMPLETE, PARAMS_COMPLETE, PARAMS_MALFORMED };

/*
 * Judge the first n bytes of a connection: COMPLETE when one BEGIN_REQUEST and a whole PARAMS
 * stream stand there, every pair of which ends within it; *len is their length then.  MALFORMED
 * when no more bytes can make it that.
 */
enum params_state params_scan(const unsigned char *bytes, size_t n, size_t *len);

/*
 * Take the padding out of a complete head of `len` bytes: libfcgi takes that of BEGIN_REQUEST for
 * records, in which anything may stand.  Returns how many bytes are left.
 */
size_t params_strip_padding(unsigned char *bytes, size_t len);

#endif
