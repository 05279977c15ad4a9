#include "cgi/profile/report_query.h"

#include <stdio.h>
#include <string.h>

#include "cgi/base/buffer.h"

enum {
	PREFIX_MAX = 1024, /* bytes */
	TEST_MAX = 128,
	LABEL_MAX = 128,
};

/* --- which option goes with which format ----------------------------------------------------- */

enum {
	ALL = (1u << REPORT_KINDS) - 1 - (1u << REPORT_TEXT),
	PERCENT = 1u << REPORT_PERCENT,
	LCOV = 1u << REPORT_LCOV,
	COBERTURA = 1u << REPORT_COBERTURA,
	BADGE = 1u << REPORT_BADGE,
	/* those with names of files */
	NAMED = ALL - PERCENT - (1u << REPORT_PACKAGES) - BADGE,
};

/* The names of the formats in the set, with commas. */
static const char *names_of(unsigned set, struct buffer *names)
{
	unsigned i;

	for (i = 0; i < REPORT_KINDS; i++)
		if (set & 1u << i)
			buffer_printf(names, "%s%s", names->len ? ", " : "",
				      report_kind_name((enum report_kind)i));
	return buffer_str(names);
}

/* An option that would do nothing is a mistake: where it was to choose, or to fail, silence
 * hurts. */
static int check_use(const struct report_options *options, bool is_there, const char *name,
		     unsigned formats, struct error *err)
{
	cleanup_buffer struct buffer names = BUFFER_INIT;

	if (!is_there || formats & 1u << options->kind)
		return 0;
	return error_set(err, ERROR_BAD_REQUEST, "%s has no meaning for format=%s, only for %s",
			 name, report_kind_name(options->kind), names_of(formats, &names));
}

static int check_uses(const struct report_options *options, const struct query *query,
		      struct error *err)
{
	if (check_use(options, query->module.n > 0, "module", ALL, err) < 0 ||
	    check_use(options, query->prefix.n > 0, "prefix", NAMED, err) < 0 ||
	    check_use(options, query->paths.n > 0, "paths", NAMED, err) < 0)
		return -1;
	if (check_use(options, query->methods, "methods", COBERTURA, err) < 0 ||
	    check_use(options, query->partial.n > 0, "partial", LCOV | COBERTURA, err) < 0 ||
	    check_use(options, query->test.n > 0, "test", LCOV, err) < 0 ||
	    check_use(options, query->label.n > 0, "label", BADGE, err) < 0)
		return -1;
	return check_use(options, query->fail_under.n > 0, "fail_under", PERCENT, err);
}

/* --- values ---------------------------------------------------------------------------------- */

/* The value of a field that the request may have; NULL = it has not. */
static const char *value_of(const struct string_list *field)
{
	return field->n ? field->items[0].text : NULL;
}

static int take_format(struct report_options *options, const struct query *query, struct error *err)
{
	cleanup_buffer struct buffer names = BUFFER_INIT;
	const char *name = value_of(&query->format);
	int kind;

	if (!name)
		return 0;
	for (kind = 0; kind < REPORT_KINDS; kind++)
		if (strcmp(name, report_kind_name((enum report_kind)kind)) == 0)
			break;
	if (kind == REPORT_KINDS)
		return error_set(err, ERROR_BAD_REQUEST, "format must be one of %s, not \"%.64s\"",
				 names_of(~0u, &names), name);
	options->kind = (enum report_kind)kind;
	return 0;
}

static int take_paths(struct report_options *options, const struct query *query, struct error *err)
{
	const char *paths = value_of(&query->paths);

	options->import_paths = paths && strcmp(paths, "import") == 0;
	if (!paths || options->import_paths || strcmp(paths, "module") == 0)
		return 0;
	return error_set(err, ERROR_BAD_REQUEST, "paths must be module or import, not \"%.64s\"",
			 paths);
}

static int take_partial(struct report_options *options, const struct query *query,
			struct error *err)
{
	const char *partial = value_of(&query->partial);

	options->branches = partial && strcmp(partial, "branch") == 0;
	if (!partial || options->branches)
		return 0;
	return error_set(err, ERROR_BAD_REQUEST, "partial must be branch, not \"%.64s\"", partial);
}

/* What lcov takes for the name of a test. */
static int take_test(struct report_options *options, struct query *query, struct error *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *test = value_of(&query->test);

	if (test && (query->test.items[0].len > TEST_MAX || test[strspn(test, letters)]))
		return error_set(
		    err, ERROR_BAD_REQUEST,
		    "test must be letters of ASCII, digits and underscores, %d at most, "
		    "not \"%.64s\"",
		    TEST_MAX, test);
	options->test = query->test;
	query->test = STRING_LIST_INIT;
	return 0;
}

static int take_label(struct report_options *options, struct query *query, struct error *err)
{
	const char *label = value_of(&query->label), *at;

	for (at = label; at && *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return error_set(err, ERROR_BAD_REQUEST, "label holds a control character");
	if (label && (at == label || query->label.items[0].len > LABEL_MAX))
		return error_set(err, ERROR_BAD_REQUEST, "label must have 1 to %d bytes",
				 LABEL_MAX);
	options->label = query->label;
	query->label = STRING_LIST_INIT;
	return 0;
}

/* With a slash at its end, as a directory. */
static int take_prefix(struct report_options *options, struct query *query, struct error *err)
{
	cleanup_buffer struct buffer directory = BUFFER_INIT;
	const char *prefix = value_of(&query->prefix);
	size_t len = prefix ? query->prefix.items[0].len : 0, i;

	if (!len)
		return 0;
	if (len > PREFIX_MAX)
		return error_set(err, ERROR_BAD_REQUEST, "prefix is longer than %d bytes",
				 PREFIX_MAX);
	for (i = 0; i < len; i++)
		if ((unsigned char)prefix[i] < 0x20 || prefix[i] == 0x7f)
			return error_set(err, ERROR_BAD_REQUEST,
					 "prefix holds a control character");
	if (options->import_paths)
		return error_set(err, ERROR_BAD_REQUEST,
				 "prefix stands before paths relative to a module: it has no "
				 "meaning with paths=import");
	buffer_printf(&directory, "%s%s", prefix, prefix[len - 1] == '/' ? "" : "/");
	if (directory.failed ||
	    string_list_add(&options->prefix, directory.data, directory.len) < 0)
		return error_no_memory(err);
	return 0;
}

static int bad_threshold(const char *text, struct error *err)
{
	return error_set(err, ERROR_BAD_REQUEST,
			 "fail_under must be a percentage from 0 to 100 with at most three "
			 "decimals, not \"%.64s\"",
			 text);
}

/* Digits, and three decimals at most: "80", "79.5". */
static int take_threshold(struct report_options *options, const struct query *query,
			  struct error *err)
{
	const char *text = value_of(&query->fail_under), *at = text;
	unsigned long whole = 0, decimals = 0;
	unsigned scale = 1000;

	if (!text)
		return 0;
	for (; *at >= '0' && *at <= '9' && whole <= 100; at++)
		whole = whole * 10 + (unsigned long)(*at - '0');
	if (at == text || whole > 100)
		return bad_threshold(text, err);
	if (*at == '.' && at[1])
		for (at++; *at >= '0' && *at <= '9' && scale > 1; at++, scale /= 10)
			decimals = decimals * 10 + (unsigned long)(*at - '0');
	if (*at || whole * 1000 + decimals * scale > 100000)
		return bad_threshold(text, err);
	options->fail_under = (uint32_t)(whole * 1000 + decimals * scale);
	snprintf(options->fail_under_text, sizeof options->fail_under_text, "%.10s", text);
	return 0;
}

int report_query_take(struct report_options *options, struct query *query, struct error *err)
{
	if (take_format(options, query, err) < 0 || check_uses(options, query, err) < 0 ||
	    take_paths(options, query, err) < 0 || take_prefix(options, query, err) < 0 ||
	    take_partial(options, query, err) < 0 || take_test(options, query, err) < 0 ||
	    take_label(options, query, err) < 0 || take_threshold(options, query, err) < 0)
		return -1;
	options->methods = query->methods;
	options->download = query->download;
	options->modules = query->module;
	query->module = STRING_LIST_INIT;
	return 0;
}
