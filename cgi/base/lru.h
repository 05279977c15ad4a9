/*
 * What is kept, in the order of its last use, and the bytes of memory that it takes: whoever is
 * short of room forgets the oldest.  Each thing has an entry inside it.  No lock of its own.
 */
#ifndef GOVERAGE_BASE_LRU_H
#define GOVERAGE_BASE_LRU_H

#include <stdbool.h>
#include <stddef.h>

struct lru_entry {
	struct lru_entry *younger, *older;
	size_t bytes;
	/* Free the thing, of which the entry is a part; it has been taken out. */
	void (*forget)(struct lru_entry *entry);
};

/* Zeroed at the start; its owner empties it at the end with lru_trim(lru, 0). */
struct lru {
	struct lru_entry *youngest, *oldest;
	size_t bytes; /* of all */
};

/* The thing that has this entry as its member. */
#define lru_thing(entry, type, member) ((type *)((char *)(entry)-offsetof(type, member)))

/* Take in an entry, whose bytes and forget() are set, as the youngest. */
void lru_add(struct lru *lru, struct lru_entry *entry);

/* It is in use: the youngest from now on. */
void lru_use(struct lru *lru, struct lru_entry *entry);

/* The thing takes so many bytes from now on. */
void lru_resize(struct lru *lru, struct lru_entry *entry, size_t bytes);

/* Take it out; the thing stays. */
void lru_take_out(struct lru *lru, struct lru_entry *entry);

/* Forget the oldest; false when there is none. */
bool lru_forget_oldest(struct lru *lru);

/* Forget the oldest until at most so many bytes are left, or nothing. */
void lru_trim(struct lru *lru, size_t bytes);

#endif
