/*
 * Go's line table, found by its first eight bytes: a magic number, two zero bytes, the smallest
 * instruction (1, 2 or 4 bytes) and the size of a pointer.  The same in Go 1.20 and all later
 * releases.
 */
#ifndef GOVERAGE_LIVE_GO_PCLNTAB_H
#define GOVERAGE_LIVE_GO_PCLNTAB_H

#include "cgi/live/go/elf.h"

enum { PCLNTAB_HEADER_SIZE = 8 };

/* Do these eight bytes begin a line table of a 64-bit little-endian program? */
bool pclntab_is_header(const unsigned char *bytes);

/*
 * Look through the loadable segments for line tables, at steps of eight bytes: their addresses, at
 * most `room` of them, and their number.  Segments beyond 1 GiB in sum are not looked at.  -1 only
 * with FAULT_REQUEST.
 */
must_check int pclntab_scan(const struct elf *elf, const struct memory *file, uint64_t *found,
			    unsigned room, unsigned *n_found, const struct deadline *deadline,
			    struct fault *fault);

#endif
