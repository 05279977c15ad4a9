#include "cgi/coverage/textfmt.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char mode_word[] = "mode: ";

/* The lines of one file, which stand together. */
struct file_run {
	size_t at;  /* of the first line */
	size_t len; /* of all lines */
};

struct file_index {
	struct path_ref *paths;
	struct file_run *runs;
	size_t n, cap;
};

static void file_index_free(struct file_index *index)
{
	free(index->paths);
	free(index->runs);
}

static int set_single_span(struct textfmt *profile, struct error *err)
{
	profile->spans = malloc(sizeof *profile->spans);
	if (!profile->spans)
		return error_no_memory(err);
	profile->spans[0] = (struct byte_span){profile->text, profile->text_len};
	profile->n_spans = 1;
	profile->total = profile->text_len;
	return 0;
}

int textfmt_map(struct textfmt *profile, int fd, struct error *err)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "reading the profile");
	if (st.st_size == 0)
		return 0;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return error_errno(err, ERROR_INTERNAL, errno, "mapping the profile");
	profile->text = map;
	profile->text_len = (size_t)st.st_size;
	if (profile->text_len < sizeof mode_word ||
	    memcmp(profile->text, mode_word, sizeof mode_word - 1) != 0 ||
	    profile->text[profile->text_len - 1] != '\n')
		return error_set(err, ERROR_INTERNAL,
				 "covdata wrote something that is no whole textfmt profile");
	return set_single_span(profile, err);
}

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

static int index_add(struct file_index *index, struct path_ref path, struct file_run run)
{
	if (index->n == index->cap) {
		size_t cap = index->cap ? index->cap * 2 : 256;
		struct path_ref *paths = reallocarray(index->paths, cap, sizeof *paths);
		struct file_run *runs;

		if (!paths)
			return -1;
		index->paths = paths;
		runs = reallocarray(index->runs, cap, sizeof *runs);
		if (!runs)
			return -1;
		index->runs = runs;
		index->cap = cap;
	}
	index->paths[index->n] = path;
	index->runs[index->n++] = run;
	return 0;
}

static int index_line(struct file_index *index, const char *text, size_t at, size_t len,
		      struct error *err)
{
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
	if (index_add(index, path, (struct file_run){at, len + 1}) < 0)
		return error_no_memory(err);
	return 0;
}

/* Find the runs of all files behind the mode line, which ends at `at`. */
static int index_files(struct file_index *index, const struct textfmt *profile, size_t at,
		       struct error *err)
{
	while (at < profile->text_len) {
		const char *line = profile->text + at;
		/* textfmt_map() made sure of the last line feed */
		size_t len =
		    (size_t)((const char *)memchr(line, '\n', profile->text_len - at) - line);

		if (index_line(index, profile->text, at, len, err) < 0)
			return -1;
		at += len + 1;
	}
	return 0;
}

static void add_span(struct textfmt *profile, const char *bytes, size_t len)
{
	struct byte_span *last = profile->n_spans ? &profile->spans[profile->n_spans - 1] : NULL;

	if (last && last->bytes + last->len == bytes)
		last->len += len;
	else
		profile->spans[profile->n_spans++] = (struct byte_span){bytes, len};
	profile->total += len;
}

static int keep_spans(struct textfmt *profile, const struct file_index *index, const bool *keep,
		      size_t mode_len, struct error *err)
{
	struct byte_span *spans = reallocarray(profile->spans, index->n + 1, sizeof *spans);
	size_t i;

	if (!spans)
		return error_no_memory(err);
	profile->spans = spans;
	profile->n_spans = profile->total = 0;
	add_span(profile, profile->text, mode_len);
	for (i = 0; i < index->n; i++)
		if (keep[i])
			add_span(profile, profile->text + index->runs[i].at, index->runs[i].len);
	return 0;
}

int textfmt_filter(struct textfmt *profile, struct path_filter *filter, struct error *err)
{
	cleanup_with(file_index_free) struct file_index index = {0};
	cleanup_free bool *keep = NULL;
	size_t mode_len;

	if (!profile->text_len || path_filter_is_empty(filter))
		return 0;
	mode_len =
	    (size_t)((char *)memchr(profile->text, '\n', profile->text_len) - profile->text) + 1;
	if (index_files(&index, profile, mode_len, err) < 0)
		return -1;
	keep = calloc(index.n ? index.n : 1, sizeof *keep);
	if (!keep)
		return error_no_memory(err);
	if (path_filter_apply(filter, index.paths, index.n, keep, err) < 0)
		return -1;
	return keep_spans(profile, &index, keep, mode_len, err);
}

void textfmt_free(struct textfmt *profile)
{
	if (profile->text)
		munmap(profile->text, profile->text_len);
	free(profile->spans);
	*profile = TEXTFMT_INIT;
}
