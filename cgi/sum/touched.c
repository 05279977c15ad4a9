#include "cgi/sum/touched.h"

#include <stdlib.h>

#include "cgi/format/covcounters.h"

int touched_begin(struct touched *touched, const struct covmeta *meta, struct error *err)
{
	uint64_t n = 0;
	uint32_t i;

	*touched = TOUCHED_INIT;
	touched->first = calloc((size_t)meta->n_packages + 1, sizeof *touched->first);
	if (!touched->first)
		return error_no_memory(err);
	touched->n_packages = meta->n_packages;
	for (i = 0; i < meta->n_packages; i++) {
		touched->first[i] = n;
		n += meta->packages[i]->n_functions;
	}
	touched->first[i] = n;
	touched->ran = calloc(n + 1, sizeof *touched->ran);
	return touched->ran ? 0 : error_no_memory(err);
}

uint64_t touched_functions(const struct touched *touched)
{
	return touched->first[touched->n_packages];
}

static void mark(struct touched *touched, const struct covcounters_entry *entry)
{
	uint64_t index;

	if (entry->package >= touched->n_packages)
		return;
	index = touched->first[entry->package] + entry->function;
	if (index >= touched->first[entry->package + 1])
		return;
	touched->n += !touched->ran[index];
	touched->ran[index] = true;
}

/* Go through the entries, and mark them if told to.  -1 where the file is damaged. */
static int walk(struct covcounters counters, struct touched *touched, bool marking)
{
	struct covcounters_entry entry;
	struct error ignored;
	int more;

	while ((more = covcounters_next(&counters, &entry, &ignored)) > 0)
		if (marking)
			mark(touched, &entry);
	return more;
}

/* The file gives nothing.  -1 when that is not the file's fault. */
static int pass_over(struct touched *touched, bool gone, const struct error *why, struct error *err)
{
	touched->incomplete |= !gone;
	if (why->class != ERROR_UNAVAILABLE)
		return 0;
	*err = *why;
	return -1;
}

int touched_add(struct touched *touched, int dir_fd, const char *name, struct error *err)
{
	struct file_bytes *bytes = &touched->bytes;
	struct covcounters counters;
	struct error why = {0};
	bool gone, newer;

	if (source_file_read(dir_fd, name, bytes, &gone, &why) < 0 ||
	    covcounters_open(&counters, bytes->data, bytes->len, &newer, &why) < 0)
		return pass_over(touched, gone, &why, err);
	/* a damaged file gives nothing, as in a profile: it is seen whole before it counts */
	if (walk(counters, touched, false) < 0)
		touched->incomplete = true;
	else
		walk(counters, touched, true);
	return 0;
}

void touched_free(struct touched *touched)
{
	free(touched->first);
	free(touched->ran);
	file_bytes_free(&touched->bytes);
	*touched = TOUCHED_INIT;
}
