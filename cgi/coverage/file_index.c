#include "cgi/coverage/file_index.h"

#include <stdlib.h>
#include <string.h>

struct growing {
	struct file_index made;
	size_t cap; /* of its arrays */
};

/* The path of a line: all before its last colon.  NULL when there is none. */
static const char *path_end(const char *line, size_t len, const struct path_ref *previous)
{
	/* most lines are of the same file as the one before */
	if (previous && len > previous->len && line[previous->len] == ':' &&
	    memcmp(line, previous->text, previous->len) == 0 &&
	    !memchr(line + previous->len + 1, ':', len - previous->len - 1))
		return line + previous->len;
	return memrchr(line, ':', len);
}

static int index_add(struct growing *growing, struct path_ref path, struct file_run run)
{
	struct file_index *index = &growing->made;

	if (index->n == growing->cap) {
		size_t cap = growing->cap ? growing->cap * 2 : 256;
		struct path_ref *paths = reallocarray(index->paths, cap, sizeof *paths);
		struct file_run *runs;

		if (!paths)
			return -1;
		index->paths = paths;
		runs = reallocarray(index->runs, cap, sizeof *runs);
		if (!runs)
			return -1;
		index->runs = runs;
		growing->cap = cap;
	}
	index->paths[index->n] = path;
	index->runs[index->n++] = run;
	return 0;
}

static int index_line(struct growing *growing, const char *text, size_t at, size_t len,
		      struct error *err)
{
	struct file_index *index = &growing->made;
	const struct path_ref *last = index->n ? &index->paths[index->n - 1] : NULL;
	const char *line = text + at, *colon = path_end(line, len, last);
	struct path_ref path;

	if (!colon)
		return error_set(err, ERROR_INTERNAL,
				 "covdata wrote a line that is no textfmt: \"%.*s\"",
				 len > 80 ? 80 : (int)len, line);
	path = (struct path_ref){line, (size_t)(colon - line)};
	if (last && last->len == path.len && memcmp(last->text, path.text, path.len) == 0) {
		index->runs[index->n - 1].len += len + 1;
		return 0;
	}
	if (index_add(growing, path, (struct file_run){at, len + 1}) < 0)
		return error_no_memory(err);
	return 0;
}

static int index_lines(struct growing *index, const char *text, size_t len, struct error *err)
{
	size_t at = index->made.mode_len;

	while (at < len) {
		const char *line = text + at;
		size_t line_len = (size_t)((const char *)memchr(line, '\n', len - at) - line);

		if (index_line(index, text, at, line_len, err) < 0)
			return -1;
		at += line_len + 1;
	}
	return 0;
}

static void drop_arrays(struct file_index *index)
{
	free(index->paths);
	free(index->runs);
}

struct file_index *file_index_make(const char *text, size_t len, struct error *err)
{
	struct growing growing = {.cap = 0};
	struct file_index *index = malloc(sizeof *index);

	if (len)
		growing.made.mode_len = (size_t)((char *)memchr(text, '\n', len) - text) + 1;
	if (!index)
		error_no_memory(err);
	if (!index || index_lines(&growing, text, len, err) < 0) {
		drop_arrays(&growing.made);
		free(index);
		return NULL;
	}
	*index = growing.made;
	return index;
}

void file_index_free(struct file_index *index)
{
	if (!index)
		return;
	drop_arrays(index);
	free(index);
}
