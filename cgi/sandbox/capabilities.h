/* Giving up capabilities(7), for ever. */
#ifndef GOVERAGE_SANDBOX_CAPABILITIES_H
#define GOVERAGE_SANDBOX_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"

/* Bits of a set, by their numbers in the kernel's interface. */
#define CAPABILITY_DAC_OVERRIDE (UINT64_C(1) << 1)
#define CAPABILITY_DAC_READ_SEARCH (UINT64_C(1) << 2)
#define CAPABILITY_SYS_PTRACE (UINT64_C(1) << 19)
#define CAPABILITIES_ALL UINT64_MAX

/* What the calling thread has now (its permitted set). */
uint64_t capabilities_held(void);

/* Which of them let root read what belongs to others: the one for reading, or else the wider
 * one. */
uint64_t capabilities_for_reading(void);

/*
 * Keep none but these in any set of the calling thread, its bounding set included where it may
 * change that.  Calls nothing but the kernel.  0, or -1 with errno.
 */
int capabilities_keep(uint64_t keep);

/* Could this directory, or file, be written to without CAP_DAC_OVERRIDE? */
bool capabilities_can_write_plainly(const char *path);

/* "CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH", "none", "those it was started with". */
void capabilities_describe(uint64_t set, struct buffer *out);

#endif
