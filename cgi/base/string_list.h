/* A list of strings that may hold any byte, in the order in which they came. */
#ifndef GOVERAGE_BASE_STRING_LIST_H
#define GOVERAGE_BASE_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/cleanup.h"

struct string_item {
	char *text; /* owned; NUL-terminated behind its len bytes */
	size_t len;
};

struct string_list {
	struct string_item *items; /* owned */
	size_t n;
};

#define STRING_LIST_INIT ((struct string_list){0})

/* Append a copy of n bytes.  0, or -1 when memory runs out. */
must_check int string_list_add(struct string_list *list, const char *text, size_t n);

/* Is this very string in the list? */
bool string_list_has(const struct string_list *list, const char *text, size_t n);

/* Free everything; the list is as new. */
void string_list_free(struct string_list *list);

#define cleanup_string_list cleanup_with(string_list_free)

#endif
