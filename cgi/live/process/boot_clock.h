/* When processes started: /proc tells it in clock ticks since the machine's start. */
#ifndef GOVERAGE_LIVE_PROCESS_BOOT_CLOCK_H
#define GOVERAGE_LIVE_PROCESS_BOOT_CLOCK_H

#include <stdint.h>

struct boot_clock {
	int64_t boot_ns; /* unix nanoseconds at which the uptime began */
	int64_t now_ns;	 /* unix nanoseconds at which the clock was read */
	int64_t tick_ns; /* nanoseconds of a clock tick, 10 ms as a rule */
};

/*
 * By the clock as it is set now.  The start of the uptime is rounded down to a whole tick, so that
 * a process has the same start time each time (unless somebody sets the clock), never later than
 * the truth.
 */
struct boot_clock boot_clock_read(void);

/* Unix nanoseconds of a start time in ticks (field 22 of /proc/PID/stat); 0 for 0. */
int64_t boot_clock_unix_ns(const struct boot_clock *clock, uint64_t ticks);

#endif
