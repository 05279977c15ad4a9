#include "cgi/text/file_index.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/base/array.h"

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

int file_index_add(struct file_index *index, struct path_ref path, size_t len, struct error *err)
{
	const struct file_run *last = index->n ? &index->runs[index->n - 1] : NULL;
	size_t at = last ? last->at + last->len : index->mode_len, room = index->cap;
	struct path_ref *paths = array_grow(index->paths, &room, index->n, 1, sizeof *paths);
	struct file_run *runs;

	if (!paths)
		return error_no_memory(err);
	index->paths = paths;
	runs = array_grow(index->runs, &index->cap, index->n, 1, sizeof *runs);
	if (!runs)
		return error_no_memory(err);
	index->runs = runs;
	index->paths[index->n] = path;
	index->runs[index->n++] = (struct file_run){at, len};
	return 0;
}

static int index_line(struct file_index *index, const char *line, size_t len, struct error *err)
{
	const struct path_ref *last = index->n ? &index->paths[index->n - 1] : NULL;
	const char *colon = path_end(line, len, last);
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
	return file_index_add(index, path, len + 1, err);
}

static int index_lines(struct file_index *index, const char *text, size_t len, struct error *err)
{
	size_t at = index->mode_len;

	while (at < len) {
		const char *line = text + at;
		size_t line_len = (size_t)((const char *)memchr(line, '\n', len - at) - line);

		if (index_line(index, line, line_len, err) < 0)
			return -1;
		at += line_len + 1;
	}
	return 0;
}

struct file_index *file_index_make(const char *text, size_t len, struct error *err)
{
	struct file_index *index = calloc(1, sizeof *index);

	if (!index) {
		error_no_memory(err);
		return NULL;
	}
	if (len)
		index->mode_len = (size_t)((char *)memchr(text, '\n', len) - text) + 1;
	if (index_lines(index, text, len, err) < 0) {
		file_index_free(index);
		return NULL;
	}
	return index;
}

void file_index_clear(struct file_index *index)
{
	free(index->paths);
	free(index->runs);
	*index = FILE_INDEX_INIT;
}

void file_index_free(struct file_index *index)
{
	if (!index)
		return;
	file_index_clear(index);
	free(index);
}
