#include "cgi/state/reader_state.h"

#include <string.h>

#include "cgi/base/buffer.h"

enum { LISTS_MAX = 4 }; /* of directories: as a rule there is one */

void kept_list_free(struct kept_list *list)
{
	kept_free(&list->sum);
	free(list->key);
	free(list);
}

static char *make_key(const struct coverage_set *set)
{
	cleanup_buffer struct buffer key = BUFFER_INIT;
	size_t i;

	buffer_puts(&key, "");
	for (i = 0; i < set->dirs.n; i++) {
		buffer_append(&key, set->dirs.items[i].text, set->dirs.items[i].len);
		buffer_putc(&key, ',');
	}
	return key.failed ? NULL : steal_ptr(key.data);
}

struct kept *reader_find_kept(struct reader *reader, const struct coverage_set *set)
{
	char *key = make_key(set);
	struct kept_list **at, *list;

	if (!key)
		return NULL;
	for (at = &reader->kept; *at && strcmp((*at)->key, key) != 0; at = &(*at)->next)
		;
	list = *at;
	if (list) {
		*at = list->next;
		free(key);
	} else {
		list = calloc(1, sizeof *list);
		if (!list) {
			free(key);
			return NULL;
		}
		list->key = key;
	}
	list->next = reader->kept;
	reader->kept = list;
	return &list->sum;
}

static size_t memory_used(const struct reader *reader)
{
	size_t bytes = program_cache_memory(&reader->programs) + reader->earlier.bytes;
	const struct kept_list *list;

	for (list = reader->kept; list; list = list->next)
		bytes += sizeof *list + kept_memory(&list->sum);
	return bytes;
}

static void drop_oldest_kept(struct reader *reader)
{
	struct kept_list **at = &reader->kept;

	while ((*at)->next)
		at = &(*at)->next;
	kept_list_free(*at);
	*at = NULL;
}

static bool drop_live(struct reader *reader)
{
	if (!reader->kept || !reader->kept->sum.live)
		return false;
	live_sum_release(reader->kept->sum.live);
	reader->kept->sum.live = NULL;
	return true;
}

/* The least useful thing first; false when there is nothing left. */
static bool drop_something(struct reader *reader)
{
	if (reader->kept && reader->kept->next)
		drop_oldest_kept(reader);
	else if (program_cache_drop_oldest(&reader->programs))
		return true;
	else if (drop_live(reader))
		return true;
	else if (lru_forget_oldest(&reader->earlier))
		return true;
	else if (reader->kept)
		drop_oldest_kept(reader);
	else
		return false;
	return true;
}

static bool are_too_many(const struct kept_list *list)
{
	int n;

	for (n = 0; list; list = list->next)
		n++;
	return n > LISTS_MAX;
}

void reader_keep_to_budget(struct reader *reader)
{
	while (are_too_many(reader->kept))
		drop_oldest_kept(reader);
	while (memory_used(reader) > reader->budget)
		if (!drop_something(reader)) {
			/* the programs of this very request */
			program_cache_free(&reader->programs);
			return;
		}
}
