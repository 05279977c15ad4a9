#include "cgi/base/string_list.h"

#include <stdlib.h>
#include <string.h>

int string_list_add(struct string_list *list, const char *text, size_t n)
{
	struct string_item *items;
	char *copy;

	/* room doubles whenever the count reaches a power of two */
	if ((list->n & (list->n - 1)) == 0) {
		items = realloc(list->items, (list->n ? list->n * 2 : 1) * sizeof *items);
		if (!items)
			return -1;
		list->items = items;
	}
	copy = malloc(n + 1);
	if (!copy)
		return -1;
	if (n)
		memcpy(copy, text, n);
	copy[n] = '\0';
	list->items[list->n++] = (struct string_item){copy, n};
	return 0;
}

bool string_list_has(const struct string_list *list, const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->items[i].len == n && memcmp(list->items[i].text, text, n) == 0)
			return true;
	return false;
}

void string_list_free(struct string_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->items[i].text);
	free(list->items);
	*list = STRING_LIST_INIT;
}
