#include "cgi/report/share.h"

#include <stdio.h>

uint64_t share_of(struct share share, uint64_t scale)
{
	/* only made-up numbers are that large: the last bits of them don't matter */
	while (share.total > UINT64_MAX / scale) {
		share.total /= 2;
		share.covered /= 2;
	}
	return share.covered * scale / share.total;
}

void share_percent(struct share share, char out[SHARE_TEXT])
{
	unsigned tenths;

	if (!share.total) {
		snprintf(out, SHARE_TEXT, "n/a");
		return;
	}
	tenths = (unsigned)share_of(share, 1000) % 1001;
	snprintf(out, SHARE_TEXT, "%u.%u", tenths / 10, tenths % 10);
}

void share_rate(struct share share, char out[SHARE_TEXT])
{
	unsigned parts = share.total ? (unsigned)share_of(share, 10000) % 10001 : 0;

	snprintf(out, SHARE_TEXT, "%u.%04u", parts / 10000, parts % 10000);
}
