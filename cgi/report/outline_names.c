#include "cgi/report/outline_names.h"

#include <string.h>

#include "cgi/base/buffer.h"
#include "cgi/base/escape.h"

enum { NAMED_MODULES = 10 }; /* so many of them are told in an error */

/* --- what is kept ---------------------------------------------------------------------------- */

static int apply_filter(struct outline *outline, struct path_filter *filter, struct error *err)
{
	cleanup_free struct path_ref *paths = malloc((outline->n_files + 1) * sizeof *paths);
	cleanup_free bool *keep = calloc(outline->n_files + 1, sizeof *keep);
	size_t i;

	if (!paths || !keep)
		return error_no_memory(err);
	for (i = 0; i < outline->n_files; i++)
		paths[i] =
		    (struct path_ref){outline->files[i].path.text, outline->files[i].path.len};
	if (path_filter_apply(filter, paths, outline->n_files, keep, err) < 0)
		return -1;
	for (i = 0; i < outline->n_files; i++)
		outline->files[i].kept = keep[i];
	return 0;
}

static bool module_is(const struct outline_package *package, const struct string_item *module)
{
	return package->module.len == module->len &&
	       memcmp(package->module.text, module->text, module->len) == 0;
}

static bool has_module(const struct outline *outline, const struct string_item *module)
{
	uint32_t i;

	for (i = 0; i < outline->n_packages; i++)
		if (module_is(&outline->packages[i], module))
			return true;
	return false;
}

/* Packages of a module mostly stand together, so the list of them is nearly one of modules. */
static int no_such_module(const struct outline *outline, const struct string_item *module,
			  struct error *err)
{
	cleanup_buffer struct buffer there = BUFFER_INIT;
	const struct string_ref *last = NULL;
	int n = 0;
	uint32_t i;

	for (i = 0; i < outline->n_packages && n < NAMED_MODULES; i++) {
		const struct string_ref *name = &outline->packages[i].module;

		if (!name->len || (last && string_ref_compare(*last, *name) == 0))
			continue;
		buffer_puts(&there, n++ ? ", " : "");
		escape_plain(&there, name->text, name->len < 128 ? name->len : 128);
		last = name;
	}
	return error_set(err, ERROR_NOT_FOUND,
			 "no package of the module \"%.128s\" is in the profile: it has %s",
			 module->text, n ? buffer_str(&there) : "none that names its module");
}

static int choose_modules(struct outline *outline, const struct string_list *modules,
			  struct error *err)
{
	uint32_t p;
	size_t i, k;

	for (i = 0; i < modules->n; i++)
		if (!has_module(outline, &modules->items[i]))
			return no_such_module(outline, &modules->items[i], err);
	for (p = 0; modules->n && p < outline->n_packages; p++) {
		const struct outline_package *package = &outline->packages[p];

		for (i = 0; i < modules->n && !module_is(package, &modules->items[i]); i++)
			;
		for (k = 0; i == modules->n && k < package->n_files; k++)
			outline->files[package->first_file + k].kept = false;
	}
	return 0;
}

/* --- names ----------------------------------------------------------------------------------- */

static bool ref_is(struct string_ref ref, const char *text)
{
	return ref.len == strlen(text) && memcmp(ref.text, text, ref.len) == 0;
}

/* The modules of the Go distribution are no directory of anybody's repository. */
static size_t relative_from(const struct outline *outline, const struct outline_file *file)
{
	struct string_ref module = outline->packages[file->package].module;

	if (ref_is(module, "std") || ref_is(module, "cmd"))
		return 0;
	return name_in_module(file->path, module);
}

static int compare_names(const void *a_, const void *b_)
{
	struct outline_file *const *a = a_, *const *b = b_;

	return string_ref_compare((*a)->name, (*b)->name);
}

/* Files of several modules must not become one. */
static void keep_apart(struct outline_file **sorted, size_t from, size_t end)
{
	bool differ = false;
	size_t i;

	for (i = from + 1; i < end; i++)
		differ |= string_ref_compare(sorted[i]->path, sorted[from]->path) != 0;
	for (i = from; differ && i < end; i++) {
		sorted[i]->name = sorted[i]->path;
		sorted[i]->in_module = false;
	}
}

static int keep_all_apart(struct outline *outline, struct error *err)
{
	cleanup_free struct outline_file **sorted = malloc((outline->n_files + 1) * sizeof *sorted);
	size_t n = 0, from, end, i;

	if (!sorted)
		return error_no_memory(err);
	for (i = 0; i < outline->n_files; i++)
		if (outline->files[i].kept)
			sorted[n++] = &outline->files[i];
	qsort(sorted, n, sizeof *sorted, compare_names);
	for (from = 0; from < n; from = end) {
		for (end = from + 1; end < n; end++)
			if (compare_names(&sorted[from], &sorted[end]) != 0)
				break;
		keep_apart(sorted, from, end);
	}
	return 0;
}

static int clean_names(struct outline *outline, enum name_rules rules, struct error *err)
{
	/* only the names of functions stand where a comma parts them from what follows */
	enum name_rules own = rules == NAMES_NO_COMMA ? NAMES_LINE : rules;
	struct string_list *copies = &outline->copies;
	uint32_t p;
	size_t i;

	for (p = 0; p < outline->n_packages; p++)
		if (name_clean(&outline->packages[p].path, own, copies, err) < 0 ||
		    name_clean(&outline->packages[p].module, own, copies, err) < 0)
			return -1;
	for (i = 0; i < outline->n_files; i++)
		if (name_clean(&outline->files[i].name, own, copies, err) < 0)
			return -1;
	return 0;
}

int outline_choose(struct outline *outline, const struct outline_wish *wish, struct error *err)
{
	size_t i;

	if (wish->filter && !path_filter_is_empty(wish->filter) &&
	    apply_filter(outline, wish->filter, err) < 0)
		return -1;
	if (choose_modules(outline, &wish->options->modules, err) < 0)
		return -1;
	for (i = 0; i < outline->n_files; i++) {
		struct outline_file *file = &outline->files[i];
		size_t at = wish->options->import_paths ? 0 : relative_from(outline, file);

		file->in_module = at > 0;
		file->name.text += at;
		file->name.len -= (uint32_t)at;
		outline->packages[file->package].kept |= file->kept;
	}
	if (!wish->options->import_paths && keep_all_apart(outline, err) < 0)
		return -1;
	return clean_names(outline, wish->names, err);
}
