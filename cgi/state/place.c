/* The lists of directories of which something is known, and what is forgotten first. */
#include <stdlib.h>
#include <string.h>

#include "cgi/state/reader_state.h"

enum { PLACES_MAX = 4 }; /* as a rule there is one; each has a descriptor */

static void forget(struct lru_entry *entry)
{
	struct place *place = lru_thing(entry, struct place, entry);

	coverage_set_free(&place->set);
	kept_free(&place->sum);
	directory_watch_stop(&place->watch);
	string_list_free(&place->paths);
	free(place);
}

static bool are_equal(const struct string_list *a, const struct string_list *b)
{
	size_t i;

	for (i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	return a->n == b->n;
}

static struct place *new_place(const struct string_list *paths)
{
	struct place *place = calloc(1, sizeof *place);
	size_t i;

	if (!place)
		return NULL;
	place->entry.forget = forget;
	place->watch = DIRECTORY_WATCH_INIT;
	for (i = 0; i < paths->n; i++)
		if (string_list_add(&place->paths, paths->items[i].text, paths->items[i].len) < 0) {
			forget(&place->entry);
			return NULL;
		}
	return place;
}

struct place *reader_place(struct reader *reader, const struct string_list *paths)
{
	struct lru_entry *entry = reader->places.youngest;
	struct place *place;

	for (; entry; entry = entry->older) {
		place = lru_thing(entry, struct place, entry);
		if (are_equal(&place->paths, paths)) {
			lru_use(&reader->places, entry);
			return place;
		}
	}
	place = new_place(paths);
	if (place)
		lru_add(&reader->places, &place->entry);
	return place;
}

/* --- what is forgotten ----------------------------------------------------------------------- */

/* Bring the memory of the places up to date, and see how many there are. */
static unsigned measure(struct reader *reader)
{
	struct lru_entry *entry = reader->places.youngest;
	unsigned n;

	for (n = 0; entry; entry = entry->older, n++) {
		const struct place *place = lru_thing(entry, struct place, entry);

		lru_resize(&reader->places, entry,
			   sizeof *place + place->set_memory + kept_memory(&place->sum));
	}
	return n;
}

static bool drop_live(struct reader *reader)
{
	struct lru_entry *youngest = reader->places.youngest;
	struct place *place = youngest ? lru_thing(youngest, struct place, entry) : NULL;

	if (!place || !place->sum.live)
		return false;
	live_sum_release(steal_ptr(place->sum.live));
	return true;
}

/* The least useful thing first; false when there is nothing left. */
static bool drop_something(struct reader *reader, unsigned n_places)
{
	if (n_places > 1)
		return lru_forget_oldest(&reader->places);
	return program_cache_drop_oldest(&reader->programs) || drop_live(reader) ||
	       lru_forget_oldest(&reader->earlier) || lru_forget_oldest(&reader->places);
}

void reader_keep_to_budget(struct reader *reader)
{
	for (;;) {
		unsigned n = measure(reader);
		size_t bytes = reader->places.bytes + reader->earlier.bytes +
			       program_cache_memory(&reader->programs);

		if (n <= PLACES_MAX && bytes <= reader->budget)
			return;
		if (!drop_something(reader, n)) {
			/* the programs of this very request */
			program_cache_free(&reader->programs);
			return;
		}
	}
}
