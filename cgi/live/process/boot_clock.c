#include "cgi/live/process/boot_clock.h"

#include <time.h>
#include <unistd.h>

struct boot_clock boot_clock_read(void)
{
	struct timespec now, up;
	struct boot_clock clock = {.tick_ns = 1000000000 / sysconf(_SC_CLK_TCK)};

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	clock.now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	clock.boot_ns = clock.now_ns - ((int64_t)up.tv_sec * 1000000000 + up.tv_nsec);
	clock.boot_ns = clock.boot_ns / clock.tick_ns * clock.tick_ns;
	return clock;
}

int64_t boot_clock_unix_ns(const struct boot_clock *clock, uint64_t ticks)
{
	return ticks ? clock->boot_ns + (int64_t)(ticks * (uint64_t)clock->tick_ns) : 0;
}
