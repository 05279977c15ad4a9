/* So many of so many: statements or lines, and how many of them have run. */
#ifndef GOVERAGE_REPORT_SHARE_H
#define GOVERAGE_REPORT_SHARE_H

#include <stdint.h>

struct share {
	uint64_t total, covered;
};

static inline void share_add(struct share *sum, struct share more)
{
	sum->total += more.total;
	sum->covered += more.covered;
}

/* The covered part in units of 1/scale of the total, rounded down; the total must not be 0. */
uint64_t share_of(struct share share, uint64_t scale);

enum {
	SHARE_TEXT = 8, /* bytes of share_percent() and share_rate(), the NUL included */
	SHARE_THOUSANDTHS = 100000, /* a scale: thousandths of a percent */
};

/*
 * As a percentage with one decimal, rounded down, so that only all of it is 100.0; "n/a" where
 * there is nothing to cover.
 */
void share_percent(struct share share, char out[SHARE_TEXT]);

/* As a number from 0 to 1 with four decimals, rounded down; 0 where there is nothing to cover. */
void share_rate(struct share share, char out[SHARE_TEXT]);

#endif
