/* Sets of code points, as ranges: what a character class is made of. */
#ifndef GOVERAGE_PATTERN_GO_PATTERN_SET_H
#define GOVERAGE_PATTERN_GO_PATTERN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/cleanup.h"

#define MAX_CODE_POINT 0x10ffffU

struct code_range {
	uint32_t lo, hi; /* both belong to it */
};

/* Appending reports no error by itself: when memory runs out the set turns `failed`, as a buffer
 * does. */
struct code_set {
	struct code_range *ranges; /* owned */
	size_t n;
	size_t cap; /* private */
	bool failed;
};

#define CODE_SET_INIT ((struct code_set){0})

void code_set_add(struct code_set *set, uint32_t lo, uint32_t hi);
void code_set_add_all(struct code_set *set, const struct code_range *ranges, size_t n);

/* Sort and join the ranges; surrogates, which no text holds, are no end of a range any more. */
void code_set_normalize(struct code_set *set);

/* Add what is not in the n ranges, which are sorted and apart from each other. */
void code_set_add_complement(struct code_set *set, const struct code_range *ranges, size_t n);

/* As code_set_add_complement(), of the set that n ASCII ranges become when letter case is
 * ignored. */
void code_set_add_folded_complement(struct code_set *set, const struct code_range *ranges,
				    size_t n);

/*
 * Some characters have a counterpart in the other case and, besides, an expansion to several
 * characters (such as U+00DF: U+1E9E, and "ss").  Oniguruma takes both or neither; Go takes the
 * counterpart only. Returns it, or c where c is not of that kind.
 */
uint32_t case_counterpart(uint32_t c);

/* Add the counterparts of all members. */
void code_set_add_counterparts(struct code_set *set);

void code_set_free(struct code_set *set);

#define cleanup_code_set cleanup_with(code_set_free)

#endif
