/* What the directories hold, as long as the kernel tells what happens in them. */
#include <string.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/state/reader_state.h"

static size_t memory_of(const struct coverage_set *set)
{
	size_t bytes = set->n_files * sizeof *set->files, i;

	for (i = 0; i < set->n_files; i++)
		bytes += strlen(set->files[i].name) + 1;
	return bytes;
}

/* A sixteenth of what may be kept is for names. */
static bool has_room(const struct reader *reader, size_t bytes)
{
	return bytes <= reader->budget / 16;
}

static void drop_set(struct place *place)
{
	coverage_set_free(&place->set);
	place->set_memory = 0;
	place->listed = false;
}

/* Bring what is kept up to date.  False when the directories must be listed. */
static bool follow(const struct reader *reader, struct place *place,
		   const struct coverage_dirs *dirs)
{
	ssize_t n = directory_watch_count_changed(&place->watch), i;
	struct coverage_set *set = &place->set;
	struct error ignored;

	if (!place->listed || n < 0)
		return false;
	if (n == 0)
		return true;
	if (coverage_set_own(set, &ignored) < 0)
		return false;
	set->generation = reader->questions;
	for (i = 0; i < n; i++) {
		size_t dir;
		const char *name = directory_watch_changed(&place->watch, (size_t)i, &dir);

		if (coverage_list_again(set, dirs->fds[dir], (unsigned)dir, name) < 0)
			return false;
	}
	coverage_set_share(set);
	place->set_memory = memory_of(set);
	return has_room(reader, place->set_memory);
}

/*
 * Take what is kept: 1, and *set is a copy; 0 where it must be listed, and *question is the number
 * of the question; -1 = error.
 */
static int take(struct reader *reader, struct coverage_set *set, const struct coverage_dirs *dirs,
		uint64_t *question, struct error *err)
{
	struct place *place = reader_place(reader, &dirs->paths);

	*question = ++reader->questions;
	if (!place)
		return 0;
	directory_watch_ask(&place->watch, dirs->fds, dirs->paths.n);
	if (follow(reader, place, dirs))
		return coverage_set_copy(set, &place->set, err) < 0 ? -1 : 1;
	drop_set(place);
	place->asked = place->watch.fd >= 0 ? *question : 0;
	reader_keep_to_budget(reader);
	return 0;
}

/* Keep what was listed after the question, unless somebody has asked again since. */
static void keep(struct reader *reader, struct coverage_set *set)
{
	size_t bytes = memory_of(set);
	struct error ignored;
	struct place *place;

	if (!has_room(reader, bytes))
		return;
	coverage_set_share(set);
	timed_lock_take(&reader->lock);
	place = reader_place(reader, &set->dirs);
	if (place && place->asked == set->generation && !place->listed) {
		place->listed = coverage_set_copy(&place->set, set, &ignored) == 0;
		place->set_memory = bytes;
		if (!place->listed)
			drop_set(place);
	}
	timed_lock_give_back(&reader->lock);
}

/* All that is known of the files is that they were there at this question. */
static void number(struct coverage_set *set, uint64_t question)
{
	size_t i;

	set->generation = question;
	for (i = 0; i < set->n_files; i++)
		set->files[i].changed = question;
}

int reader_list(struct reader *reader, struct coverage_set *set, const struct coverage_dirs *dirs,
		const struct deadline *deadline, struct error *err)
{
	uint64_t question;
	int taken;

	*set = COVERAGE_SET_INIT;
	if (!reader->budget)
		return coverage_set_list_dirs(set, dirs, deadline, err);
	if (reader_lock(reader, deadline, err) < 0)
		return -1;
	taken = take(reader, set, dirs, &question, err);
	timed_lock_give_back(&reader->lock);
	if (taken)
		return taken < 0 ? -1 : 0;
	if (coverage_set_list_dirs(set, dirs, deadline, err) < 0)
		return -1;
	number(set, question);
	keep(reader, set);
	return 0;
}
