#include "cgi/text/textfmt.h"

int textfmt_take(struct textfmt *profile, struct profile_text *text, struct error *err)
{
	profile->spans = malloc(sizeof *profile->spans);
	if (!profile->spans)
		return error_no_memory(err);
	profile->whole = profile_text_use(text);
	profile->spans[0] = (struct byte_span){text->bytes, text->len};
	profile->n_spans = text->len > 0;
	profile->total = text->len;
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
		      struct error *err)
{
	const char *text = profile->whole->bytes;
	struct byte_span *spans = reallocarray(profile->spans, index->n + 1, sizeof *spans);
	size_t i;

	if (!spans)
		return error_no_memory(err);
	profile->spans = spans;
	profile->n_spans = profile->total = 0;
	add_span(profile, text, index->mode_len);
	for (i = 0; i < index->n; i++)
		if (keep[i])
			add_span(profile, text + index->runs[i].at, index->runs[i].len);
	return 0;
}

int textfmt_filter(struct textfmt *profile, struct path_filter *filter, struct error *err)
{
	const struct file_index *index;
	cleanup_free bool *keep = NULL;

	if (!profile->whole->len || path_filter_is_empty(filter))
		return 0;
	index = profile_text_files(profile->whole, err);
	if (!index)
		return -1;
	keep = calloc(index->n + 1, sizeof *keep);
	if (!keep)
		return error_no_memory(err);
	if (path_filter_apply(filter, index->paths, index->n, keep, err) < 0)
		return -1;
	return keep_spans(profile, index, keep, err);
}

void textfmt_free(struct textfmt *profile)
{
	profile_text_release(profile->whole);
	free(profile->spans);
	*profile = TEXTFMT_INIT;
}
