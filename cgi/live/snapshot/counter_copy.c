#include "cgi/live/snapshot/counter_copy.h"

#include <time.h>

#include "cgi/live/snapshot/counter_walk.h"

enum {
	SLOT_ALIGNMENT = 4 * SLOT_ALIGNMENT_WORDS,
	UNSETTLED_TRIES = 20,
	MISFIT_TRIES = 3, /* a slot that fits no function is real after so many */
	PAUSE_AFTER = 5,  /* tries without a pause */
};

struct area {
	uint64_t address;
	size_t bytes; /* whole words */
};

static int find_area(const struct moduledata *module, struct area *area, struct fault *fault)
{
	uint64_t start = (module->covctrs + SLOT_ALIGNMENT - 1) & ~(uint64_t)(SLOT_ALIGNMENT - 1);
	uint64_t bytes = module->ecovctrs > start ? module->ecovctrs - start : 0;

	if (bytes > COUNTER_AREA_MAX)
		return fault_set(fault, FAULT_UNSUPPORTED,
				 "it claims %llu bytes of counters, more than the %d that are read",
				 (unsigned long long)bytes, COUNTER_AREA_MAX);
	*area = (struct area){start, (size_t)bytes & ~(size_t)3};
	return 0;
}

static void pause_a_moment(void)
{
	struct timespec moment = {0, 500000};

	nanosleep(&moment, NULL);
}

/* Copy twice and walk: what came out in *result. */
static int try_once(const struct area *area, uint32_t *first, uint32_t *second,
		    const struct program *program, const struct memory *memory,
		    struct counter_entries *entries, struct walk_result *result,
		    struct fault *fault)
{
	struct counter_copies copies = {first, second, area->bytes / 4};

	if (memory_read(memory, area->address, first, area->bytes, fault) < 0 ||
	    memory_read(memory, area->address, second, area->bytes, fault) < 0)
		return -1;
	*result = (struct walk_result){0};
	counter_walk(&copies, program, entries, result);
	return entries->bytes.failed ? fault_no_memory(fault) : 0;
}

static bool is_good(const struct walk_result *result, unsigned tries)
{
	return !result->unsettled && (!result->dropped || tries >= MISFIT_TRIES);
}

static int try_until_settled(const struct area *area, uint32_t *first, uint32_t *second,
			     const struct program *program, const struct memory *memory,
			     const struct deadline *deadline, struct counter_entries *entries,
			     struct walk_result *result, struct fault *fault)
{
	size_t had = entries->bytes.len;
	uint64_t had_n = entries->n;
	unsigned tries;

	for (tries = 1; tries <= UNSETTLED_TRIES; tries++) {
		if (fault_check_deadline(deadline, fault) < 0 ||
		    try_once(area, first, second, program, memory, entries, result, fault) < 0)
			return -1;
		if (is_good(result, tries))
			return 0;
		entries->bytes.len = had;
		entries->n = had_n;
		if (tries > PAUSE_AFTER)
			pause_a_moment();
	}
	return fault_set(fault, FAULT_UNSETTLED, "its counters did not come to rest for a copy");
}

int counter_copy(const struct moduledata *module, const struct program *program,
		 const struct memory *memory, const struct deadline *deadline,
		 struct counter_entries *entries, uint64_t *dropped, struct fault *fault)
{
	cleanup_free uint32_t *first = NULL, *second = NULL;
	struct walk_result result;
	struct area area = {0, 0};

	if (find_area(module, &area, fault) < 0)
		return -1;
	if (area.bytes == 0)
		return 0;
	first = malloc(area.bytes);
	second = malloc(area.bytes);
	if (!first || !second)
		return fault_no_memory(fault);
	if (try_until_settled(&area, first, second, program, memory, deadline, entries, &result,
			      fault) < 0)
		return -1;
	*dropped += result.dropped;
	if (result.unknown_package)
		return fault_set(fault, FAULT_UNSETTLED, "its packages are still being registered");
	return 0;
}

int counter_area_is_zero(const struct moduledata *module, const struct memory *memory,
			 struct fault *fault)
{
	cleanup_free uint32_t *words = NULL;
	struct area area = {0, 0};
	size_t i;

	if (find_area(module, &area, fault) < 0)
		return -1;
	words = malloc(area.bytes + 4);
	if (!words)
		return fault_no_memory(fault);
	if (memory_read(memory, area.address, words, area.bytes, fault) < 0)
		return -1;
	for (i = 0; i < area.bytes / 4; i++)
		if (words[i])
			return 0;
	return 1;
}
