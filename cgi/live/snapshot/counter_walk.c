#include "cgi/live/snapshot/counter_walk.h"

#include <string.h>

static bool any_counter(const uint32_t *counters, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (counters[i])
			return true;
	return false;
}

/* Words to the next place where a slot may begin. */
static size_t align_up(size_t words)
{
	return (words + SLOT_ALIGNMENT_WORDS - 1) / SLOT_ALIGNMENT_WORDS * SLOT_ALIGNMENT_WORDS;
}

/* How many counters a slot at `at` can have at most; -1 = not even its header fits. */
static int64_t room_at(const struct counter_copies *copies, size_t at)
{
	size_t left = copies->words - at;

	return left < SLOT_HEADER_WORDS ? -1 : (int64_t)(left - SLOT_HEADER_WORDS);
}

/*
 * No header in the first copy, one in the second: a function that has just run for the first time,
 * or the inside of such a one.  The first copy has nothing but zeros there; anything else means
 * that the header was copied before it was stored and the counters after.
 */
static void see_newcomer(const struct counter_copies *copies, size_t at, struct walk_result *result)
{
	int64_t room = room_at(copies, at);
	uint32_t n = copies->second[at];

	if (room >= 0 && n <= room && any_counter(copies->first + at + SLOT_HEADER_WORDS, n))
		result->unsettled = true;
}

static bool is_known(const struct program *program, const uint32_t *slot, int64_t *package)
{
	const struct program_package *known;

	*package = program_package_index(program, (int32_t)slot[1]);
	if (*package < 0)
		return false;
	known = &program->packages[*package];
	return slot[2] < known->n_functions && known->units[slot[2]] == slot[0];
}

static void take_slot(const uint32_t *slot, const struct program *program,
		      struct counter_entries *out, struct walk_result *result)
{
	const uint32_t *counters = slot + SLOT_HEADER_WORDS;
	int64_t package;

	if (!any_counter(counters, slot[0])) /* cleared meanwhile */
		return;
	if (is_known(program, slot, &package)) {
		counter_entries_add(out, (uint32_t)package, slot[2], counters, slot[0]);
		return;
	}
	result->dropped++;
	if (package < 0 && (int32_t)slot[1] > 0)
		result->unknown_package = true;
}

/* A slot that the first copy has, too.  The number of words to go on by. */
static size_t see_slot(const struct counter_copies *copies, size_t at,
		       const struct program *program, struct counter_entries *out,
		       struct walk_result *result)
{
	const uint32_t *first = copies->first + at, *second = copies->second + at;
	int64_t room = room_at(copies, at);
	uint32_t n = first[0];

	if (room < 0 || n > room || second[0] != n) {
		result->unsettled = true;
		return SLOT_ALIGNMENT_WORDS;
	}
	if (any_counter(first + SLOT_HEADER_WORDS, n))
		take_slot(second, program, out, result);
	return align_up(SLOT_HEADER_WORDS + (size_t)n);
}

void counter_walk(const struct counter_copies *copies, const struct program *program,
		  struct counter_entries *out, struct walk_result *result)
{
	size_t at = 0;

	while (at < copies->words && !result->unsettled) {
		if (copies->first[at]) {
			at += see_slot(copies, at, program, out, result);
			continue;
		}
		if (copies->second[at])
			see_newcomer(copies, at, result);
		at += SLOT_ALIGNMENT_WORDS;
	}
}
