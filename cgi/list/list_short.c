#include "cgi/list/list_short.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/base/escape.h"
#include "cgi/base/utf8.h"
#include "cgi/list/list_detail.h"

struct short_line {
	char *name; /* owned; valid UTF-8: what is equal in the answer is one name */
	pid_t pid;
};

struct short_list {
	struct short_line *lines; /* owned */
	size_t n;
};

static void short_list_free(struct short_list *list)
{
	while (list->n)
		free(list->lines[--list->n].name);
	free(list->lines);
}

static char *valid_copy(const char *text)
{
	size_t n = strlen(text);
	char *copy = malloc(3 * n + 1);

	if (copy)
		copy[utf8_replace_invalid(text, n, copy)] = '\0';
	return copy;
}

static int by_name_and_pid(const void *a_, const void *b_)
{
	const struct short_line *a = a_, *b = b_;
	int order = strcmp(a->name, b->name);

	return order ? order : (a->pid > b->pid) - (a->pid < b->pid);
}

static int collect_lines(struct short_list *list, const struct live_report *live, struct error *err)
{
	size_t i;

	list->lines = calloc(live->n + 1, sizeof *list->lines);
	if (!list->lines)
		return error_no_memory(err);
	for (i = 0; i < live->n; i++) {
		struct short_line *line = &list->lines[list->n];

		if (live->processes[i].state != LIVE_READ)
			continue;
		line->name = valid_copy(live->processes[i].program);
		line->pid = live->processes[i].pid;
		if (!line->name)
			return error_no_memory(err);
		list->n++;
	}
	qsort(list->lines, list->n, sizeof *list->lines, by_name_and_pid);
	return 0;
}

int list_short_write(struct buffer *out, const char *host, const struct live_report *live,
		     struct error *err)
{
	cleanup_with(short_list_free) struct short_list list = {0};
	const struct short_line *last = NULL;
	size_t i;

	if (collect_lines(&list, live, err) < 0)
		return -1;
	buffer_putc(out, '{');
	for (i = 0; i < list.n; last = &list.lines[i++]) {
		const struct short_line *line = &list.lines[i];

		/* a process may run two programs: it has one address all the same */
		if (last && by_name_and_pid(last, line) == 0)
			continue;
		if (last && strcmp(last->name, line->name) == 0) {
			buffer_putc(out, ',');
		} else {
			buffer_puts(out, last ? "],\n" : "");
			escape_json(out, line->name, strlen(line->name));
			buffer_puts(out, ":[");
		}
		list_write_address(out, host, line->pid);
	}
	buffer_puts(out, last ? "]}\n" : "}\n");
	return 0;
}
