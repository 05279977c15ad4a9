/* Patterns against a table of what a real Go says about them, and how they are written for
 * Oniguruma. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cgi/base/utf8.h"
#include "cgi/pattern/go_pattern.h"
#include "cgi/pattern/path_filter.h"

enum { MAX_TEXTS = 64 };

/* A row of tests/data/go_patterns.tsv, see there. */
struct table {
	FILE *file;
	char *line; /* owned; the row */
	size_t cap;
	char *texts_line;		  /* owned; the last row of texts */
	struct path_ref texts[MAX_TEXTS]; /* into texts_line */
	size_t n_texts;
};

static unsigned hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = strchr(digits, c);

	assert_true(c && found);
	return (unsigned)(found - digits);
}

/* Take the next field off *rest, its escapes undone in place. */
static struct path_ref take_field(char **rest)
{
	char *begin = strsep(rest, "\t"), *in = begin, *out = begin;

	assert_non_null(begin);
	while (*in) {
		if (*in != '\\') {
			*out++ = *in++;
		} else if (in[1] == '\\') {
			*out++ = '\\';
			in += 2;
		} else {
			assert_int_equal(in[1], 'x');
			*out++ = (char)(hex_value(in[2]) << 4 | hex_value(in[3]));
			in += 4;
		}
	}
	return (struct path_ref){begin, (size_t)(out - begin)};
}

static void open_table(struct table *table)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];

	memset(table, 0, sizeof *table);
	snprintf(path, sizeof path, "%s/tests/data/go_patterns.tsv", srcdir ? srcdir : ".");
	table->file = fopen(path, "re");
	assert_non_null(table->file);
}

static void close_table(struct table *table)
{
	fclose(table->file);
	free(table->line);
	free(table->texts_line);
}

static void read_texts(struct table *table, char *rest)
{
	free(table->texts_line);
	table->texts_line = strdup(rest);
	assert_non_null(table->texts_line);
	rest = table->texts_line;
	for (table->n_texts = 0; rest; table->n_texts++) {
		assert_true(table->n_texts < MAX_TEXTS);
		table->texts[table->n_texts] = take_field(&rest);
	}
}

/* The next pattern: its kind (V or E) and what Go says; 0 at the end. */
static char read_row(struct table *table, struct path_ref *pattern, struct path_ref *answer)
{
	char *rest, kind;

	while (getline(&table->line, &table->cap, table->file) > 0) {
		rest = table->line;
		rest[strcspn(rest, "\n")] = '\0';
		kind = rest[0];
		if (kind == '#')
			continue;
		strsep(&rest, "\t");
		if (kind == 'T') {
			read_texts(table, rest);
			continue;
		}
		*pattern = take_field(&rest);
		*answer = take_field(&rest);
		return kind;
	}
	return 0;
}

static void must_refuse(const struct path_ref *pattern, const struct path_ref *answer)
{
	cleanup_buffer struct buffer out = BUFFER_INIT;
	struct error err = {0};

	assert_int_equal(go_pattern_translate(pattern->text, pattern->len, &out, &err), -1);
	assert_int_equal(err.class, ERROR_BAD_REQUEST);
	assert_int_equal(strlen(err.message), answer->len);
	assert_memory_equal(err.message, answer->text, answer->len);
}

static void must_find(const struct table *table, const struct path_ref *pattern,
		      const struct path_ref *answer)
{
	const struct string_list cover = STRING_LIST_INIT;
	cleanup_string_list struct string_list skip = STRING_LIST_INIT;
	cleanup_path_filter struct path_filter *filter = NULL;
	bool keep[MAX_TEXTS];
	struct error err = {0};

	assert_int_equal(string_list_add(&skip, pattern->text, pattern->len), 0);
	filter = path_filter_new(&cover, &skip, &err);
	if (!filter || path_filter_apply(filter, table->texts, table->n_texts, keep, &err) < 0)
		fail_msg("Go takes it, we say: %s", err.message);
	assert_int_equal(answer->len, table->n_texts);
	for (size_t i = 0; i < table->n_texts; i++)
		if (keep[i] == (answer->text[i] == '1'))
			fail_msg("pattern %.*s on text %zu, %.*s: Go says %c", (int)pattern->len,
				 pattern->text, i, (int)table->texts[i].len, table->texts[i].text,
				 answer->text[i]);
}

static void agrees_with_go(void **state)
{
	struct table table;
	struct path_ref pattern, answer;
	int refused = 0, found = 0;
	char kind;

	(void)state;
	open_table(&table);
	while ((kind = read_row(&table, &pattern, &answer))) {
		if (kind == 'E') {
			must_refuse(&pattern, &answer);
			refused++;
		} else {
			assert_int_equal(kind, 'V');
			must_find(&table, &pattern, &answer);
			found++;
		}
	}
	close_table(&table);
	assert_true(refused >= 80);
	assert_true(found >= 500);
}

static const char *translated(const char *pattern)
{
	static char text[8192];
	cleanup_buffer struct buffer out = BUFFER_INIT;
	struct error err = {0};

	if (go_pattern_translate(pattern, strlen(pattern), &out, &err) < 0)
		snprintf(text, sizeof text, "error: %s", err.message);
	else
		snprintf(text, sizeof text, "%s", buffer_str(&out));
	return text;
}

struct translation {
	const char *go, *oniguruma;
};

static void check_translations(const struct translation *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(translated(cases[i].go), cases[i].oniguruma);
}

#define CHECK(cases) check_translations(cases, sizeof cases / sizeof *cases)

static void writes_a_small_dialect(void **state)
{
	static const struct translation cases[] = {
	    {"", ""},
	    {"(a)(?:b)(?P<n>c)", "abc"},
	    {"x(a|b)+y", "x(?:a|b)+y"},
	    {"^a$", "\\Aa\\z"},
	    {"(?m)^a$", "^a$"},
	    {"a\\.b\\x{7}\\tc", "a\\.b\\x{7}\\x{9}c"},
	    {"x\\w", "x[0-9A-Z\\x{5f}a-z]"},
	    {"[^/\\d]", "[^\\x{2f}-9]"},
	    {"[a&&b[]", "[\\x{26}\\x{5b}ab]"},
	    {"\\pL\\P{Greek}[\\pN_]", "[\\p{L}][^\\p{Greek}][\\x{5f}\\p{N}]"},
	    {"[^\\PN_]", "(?:(?![\\x{5f}]|[^\\p{N}])\\O)"},
	    {"a(?s:.).b", "a\\O.b"},
	    {"[\\x{d800}]", "(?:\\z\\O)"},
	    {"[^\\x{d800}][\\s\\S]", "\\O\\O"},
	    {"xa*?(?U:b+)c", "xa*b+c"},
	    {"x(a*(?s)*)y", "x(?:a*)*y"},
	    {"(?i)a(?-i)B1(?i)2c", "(?i:a)B12(?i:c)"},
	    {"a(?i)b|c", "a(?i:b)|(?i:c)"},
	    {"(?i)\\W\xc3\x9f", "(?i:[\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-"
				"\\x{17e}\\x{180}-\\x{2129}"
				"\\x{212b}-\\x{10ffff}][\\x{df}\\x{1e9e}])"},
	};

	(void)state;
	CHECK(cases);
}

static void leaves_out_idle_ends(void **state)
{
	static const struct translation cases[] = {
	    {".*", ""},
	    {".*_test\\.go$", "_test\\.go\\z"},
	    {"mocks/.*", "mocks/"},
	    {"(.*/)?(a|b*)c.*?(d?e+)", "(?:a|)c.*d?e"},
	    {"a+", "a"},
	    {"x{2,5}", "x{2}"},
	    {"^.*$", "\\A.*\\z"},
	    {".*a|b.*", "a|b"},
	    {"(?:ab*)+", "a"},
	};

	(void)state;
	CHECK(cases);
}

/* What Oniguruma gets wrong, or refuses, is written in another way. */
static void avoids_faults_of_the_engine(void **state)
{
	static const struct translation cases[] = {
	    {"\\b.*mock", "\\b[^\\x{a}]*mock"},
	    {"(?s)$.*x", "\\z[\\x{0}-\\x{10ffff}]*x"},
	    {"^.*x", "\\A.*x"},
	    {"a(^|/)+b", "a(?-i:\\A|/)+b"},
	    {"(?i)a(^|b)+c", "(?i:a(?i:\\A|b)+c)"},
	    {"a\\b+b", "a\\bb"},
	    {"a\\b*b", "ab"},
	    {"a(^$){2}b", "a\\A\\zb"},
	    {"ax{0}b", "ab"},
	    {"a(b?){2,3}c", "a(?:b?){0,3}c"},
	    {"a(b?)+c", "a(?:b?)*c"},
	    {"a(_|^){2,}m", "a(?:_|\\A)(?:_|\\A)(?-i:_|\\A)*m"},
	    {"a(_|^){2}m", "a(?:_|\\A)(?:_|\\A)m"},
	    {"a(_|^)+m", "a(?-i:_|\\A)+m"},
	};

	(void)state;
	CHECK(cases);
}

/* A pattern of n times `open`, `middle`, n times `close`; to be freed. */
static char *nest(const char *open, const char *middle, const char *close, int n)
{
	struct buffer out = BUFFER_INIT;

	for (int i = 0; i < n; i++)
		buffer_puts(&out, open);
	buffer_puts(&out, middle);
	for (int i = 0; i < n; i++)
		buffer_puts(&out, close);
	assert_false(out.failed);
	return out.data;
}

/* Translated and compiled: NULL when all is well. */
static const char *used(const char *pattern)
{
	static struct error err;
	const struct path_ref path = {"x", 1};
	const struct string_list cover = STRING_LIST_INIT;
	cleanup_string_list struct string_list skip = STRING_LIST_INIT;
	cleanup_path_filter struct path_filter *filter = NULL;
	bool keep;

	assert_int_equal(string_list_add(&skip, pattern, strlen(pattern)), 0);
	filter = path_filter_new(&cover, &skip, &err);
	if (!filter || path_filter_apply(filter, &path, 1, &keep, &err) < 0)
		return err.message;
	return NULL;
}

static void nests_as_deep_as_it_says(void **state)
{
	static const struct {
		const char *open, *middle, *close;
	} forms[] = {
	    {"(", "a", ")"},	     {"(^|", "a", ")+"},	  {"(?:a|", "b", ")+c"},
	    {"(?i:a|", "b", "|^)*"}, {"(x|(?i:a)^", "B", "|^)*"}, {"(?i:a(?-i:", "b", "c)*|^)+"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const int groups = i == 5 ? 100 : 199;
		cleanup_free char *fits =
		    nest(forms[i].open, forms[i].middle, forms[i].close, groups);
		cleanup_free char *deeper =
		    nest(forms[i].open, forms[i].middle, forms[i].close, groups + 2);

		assert_null(used(fits));
		assert_string_equal(translated(deeper),
				    "error: expression nests too deeply: more than 200 levels");
	}
}

static void stacked_quantifiers_nest(void **state)
{
	cleanup_free char *fits = nest("", "a", "*(?i)", 200);
	cleanup_free char *deeper = nest("", "a", "*(?i)", 202);

	(void)state;
	assert_null(used(fits));
	assert_string_equal(translated(deeper),
			    "error: expression nests too deeply: more than 200 levels");
}

static void bounds_the_expanded_size(void **state)
{
	cleanup_free char *wide =
	    nest("",
		 "(?:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa){1000}",
		 "", 1);

	(void)state;
	assert_string_equal(translated(wide), "error: expression too large: with its repetitions "
					      "written out it has more than 100000 steps");
	assert_null(used("(?:aaaaaaaaaa){1000}x(?:.{50}){20}"));
	assert_string_equal(translated("((a{1000}){1000}){1000}"),
			    "error: invalid repeat count: `{1000}`");
	assert_string_equal(translated("(?:(a*b){1000}){1000}"),
			    "error: expression too large: `(?:(a*b){1000}){1000}`");
}

static void bounds_what_is_unrolled(void **state)
{
	(void)state;
	assert_null(used("a(^|bcdefgh){1000}"));
	assert_string_equal(translated("a(^|b[[:^alpha:]]){1000}c"),
			    "error: expression too large: a repetition of an assertion, such as "
			    "(^|x){1000}, has to be written out in more than 32768 bytes");
}

static void long_faults_are_cut(void **state)
{
	char pattern[4096];
	cleanup_buffer struct buffer out = BUFFER_INIT;
	struct error err = {0};

	(void)state;
	memset(pattern, 0xff, sizeof pattern);
	pattern[0] = '[';
	pattern[1] = '\0';
	for (size_t i = 2; i + 1 < sizeof pattern; i += 2)
		memcpy(pattern + i, "\xc3\xa9", 2);
	assert_int_equal(go_pattern_translate(pattern, sizeof pattern, &out, &err), -1);
	assert_true(strncmp(err.message, "missing closing ]: `[\xef\xbf\xbd\xc3\xa9", 24) == 0);
	assert_true(strlen(err.message) < 400);
	assert_true(utf8_valid(err.message, strlen(err.message)));
}

/* Without memory for a message nothing breaks, and the result is appended to what is there. */
static void appends_and_needs_no_error(void **state)
{
	cleanup_buffer struct buffer out = BUFFER_INIT;

	(void)state;
	buffer_puts(&out, "x");
	assert_int_equal(go_pattern_translate("a$", 2, &out, NULL), 0);
	assert_string_equal(buffer_str(&out), "xa\\z");
	assert_int_equal(go_pattern_translate("a(", 2, &out, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_go),
	    cmocka_unit_test(writes_a_small_dialect),
	    cmocka_unit_test(leaves_out_idle_ends),
	    cmocka_unit_test(avoids_faults_of_the_engine),
	    cmocka_unit_test(nests_as_deep_as_it_says),
	    cmocka_unit_test(stacked_quantifiers_nest),
	    cmocka_unit_test(bounds_the_expanded_size),
	    cmocka_unit_test(bounds_what_is_unrolled),
	    cmocka_unit_test(long_faults_are_cut),
	    cmocka_unit_test(appends_and_needs_no_error),
	};

	if (path_filter_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
