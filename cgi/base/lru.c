#include "cgi/base/lru.h"

static void link_youngest(struct lru *lru, struct lru_entry *entry)
{
	entry->younger = NULL;
	entry->older = lru->youngest;
	*(lru->youngest ? &lru->youngest->younger : &lru->oldest) = entry;
	lru->youngest = entry;
}

static void unlink_entry(struct lru *lru, struct lru_entry *entry)
{
	*(entry->younger ? &entry->younger->older : &lru->youngest) = entry->older;
	*(entry->older ? &entry->older->younger : &lru->oldest) = entry->younger;
}

void lru_add(struct lru *lru, struct lru_entry *entry)
{
	link_youngest(lru, entry);
	lru->bytes += entry->bytes;
}

void lru_use(struct lru *lru, struct lru_entry *entry)
{
	unlink_entry(lru, entry);
	link_youngest(lru, entry);
}

void lru_resize(struct lru *lru, struct lru_entry *entry, size_t bytes)
{
	lru->bytes += bytes - entry->bytes;
	entry->bytes = bytes;
}

void lru_take_out(struct lru *lru, struct lru_entry *entry)
{
	unlink_entry(lru, entry);
	lru->bytes -= entry->bytes;
}

bool lru_forget_oldest(struct lru *lru)
{
	struct lru_entry *oldest = lru->oldest;

	if (!oldest)
		return false;
	lru_take_out(lru, oldest);
	oldest->forget(oldest);
	return true;
}

void lru_trim(struct lru *lru, size_t bytes)
{
	while (lru->bytes > bytes && lru_forget_oldest(lru))
		;
}
