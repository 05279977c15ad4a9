/* Counting what happens too often for a line in the log each time. */
#ifndef GOVERAGE_FCGI_SERVER_EVENT_COUNT_H
#define GOVERAGE_FCGI_SERVER_EVENT_COUNT_H

#include <stdint.h>

struct event_count {
	unsigned long untold;
	int64_t told_ns; /* when a line was written last; 0 = never */
};

#define EVENT_COUNT_INIT ((struct event_count){0, 0})

enum { EVENT_COUNT_PAUSE_S = 10 };

/* How many events a line must tell of now: 0 when there are none, or when the last line was written
 * less than EVENT_COUNT_PAUSE_S ago.  They count as told. */
static inline unsigned long event_count_due(struct event_count *count, int64_t now_ns)
{
	unsigned long n = count->untold;

	if (n == 0 ||
	    (count->told_ns && now_ns - count->told_ns < EVENT_COUNT_PAUSE_S * INT64_C(1000000000)))
		return 0;
	*count = (struct event_count){0, now_ns};
	return n;
}

#endif
