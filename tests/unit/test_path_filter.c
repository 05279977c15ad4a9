/* Which paths stay: fields, order, bytes that are no characters, limits, and the messages. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "cgi/base/buffer.h"
#include "cgi/base/utf8.h"
#include "cgi/pattern/path_filter.h"

static const struct path_ref shop[] = {
    {"shop/main.go", 12},
    {"shop/cart/cart.go", 17},
    {"shop/cart/cart_mock.go", 22},
    {"shop/cart/caf\xe9.go", 17},
    {"", 0},
};

enum { SHOP = sizeof shop / sizeof *shop };

/* A list of strings that ends with NULL. */
static void fill(struct string_list *list, const char *const *strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		assert_int_equal(string_list_add(list, strings[i], strlen(strings[i])), 0);
}

static struct path_filter *filter_of(const char *const *cover, const char *const *skip,
				     struct error *err)
{
	cleanup_string_list struct string_list covers = STRING_LIST_INIT, skips = STRING_LIST_INIT;

	fill(&covers, cover);
	fill(&skips, skip);
	return path_filter_new(&covers, &skips, err);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Which of the shop's paths stay, as a string of 0 and 1. */
static const char *kept(const char *const *cover, const char *const *skip)
{
	static char out[SHOP + 1];
	cleanup_path_filter struct path_filter *filter = NULL;
	struct error err = {0};
	bool keep[SHOP];

	filter = filter_of(cover, skip, &err);
	if (!filter || path_filter_apply(filter, shop, SHOP, keep, &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < SHOP; i++)
		out[i] = keep[i] ? '1' : '0';
	return out;
}

static void keeps_what_is_covered_and_not_skipped(void **state)
{
	(void)state;
	assert_string_equal(kept(NULL, NULL), "11111");
	assert_string_equal(kept(LIST("cart"), NULL), "01110");
	assert_string_equal(kept(LIST("main", "mock"), NULL), "10100");
	assert_string_equal(kept(NULL, LIST("_mock\\.go$")), "11011");
	assert_string_equal(kept(NULL, LIST("main", "mock")), "01011");
	assert_string_equal(kept(LIST("cart/"), LIST("_mock\\.go$")), "01010");
	assert_string_equal(kept(LIST("main"), LIST("main")), "00000");
	assert_string_equal(kept(LIST("nowhere"), NULL), "00000");
	assert_string_equal(kept(LIST(""), NULL), "11111");
	assert_string_equal(kept(NULL, LIST("")), "00000");
	assert_string_equal(kept(LIST("^$"), NULL), "00001");
}

static void reads_bad_bytes_as_go_does(void **state)
{
	(void)state;
	assert_string_equal(kept(LIST("caf.\\.go"), NULL), "00010");
	assert_string_equal(kept(LIST("caf\\x{fffd}\\."), NULL), "00010");
	assert_string_equal(kept(LIST("caf\\xe9"), NULL), "00000");
}

static void knows_when_it_is_empty(void **state)
{
	cleanup_path_filter struct path_filter *none = filter_of(NULL, NULL, NULL);
	cleanup_path_filter struct path_filter *one = filter_of(NULL, LIST("a"), NULL);

	(void)state;
	assert_true(path_filter_is_empty(none));
	assert_false(path_filter_is_empty(one));
	assert_int_equal(path_filter_apply(one, NULL, 0, NULL, NULL), 0);
	path_filter_free(NULL);
}

/* The message with which a filter is refused. */
static const char *refusal(const char *const *cover, const char *const *skip)
{
	static struct error err;
	cleanup_path_filter struct path_filter *filter = NULL;

	memset(&err, 0, sizeof err);
	filter = filter_of(cover, skip, &err);
	assert_null(filter);
	assert_int_equal(err.class, ERROR_BAD_REQUEST);
	assert_true(utf8_valid(err.message, strlen(err.message)));
	return err.message;
}

static void names_field_pattern_and_fault(void **state)
{
	(void)state;
	assert_string_equal(refusal(NULL, LIST("a", "[")),
			    "skipFile pattern \"[\": missing closing ]: `[`");
	assert_string_equal(refusal(LIST("a**"), LIST("[")),
			    "coverFile pattern \"a**\": invalid nested repetition operator: `**`");
	assert_string_equal(refusal(LIST("(?=a)"), NULL),
			    "coverFile pattern \"(?=a)\": invalid or unsupported Perl syntax: "
			    "`(?=`");
	assert_string_equal(refusal(LIST("\\8"), NULL),
			    "coverFile pattern \"\\8\": invalid escape sequence: `\\8`");
	assert_string_equal(refusal(LIST("a\xff("), NULL),
			    "coverFile pattern \"a\xef\xbf\xbd(\": invalid UTF-8: `\xef\xbf\xbd(`");
}

/* n times the same text; to be freed. */
static char *repeated(const char *text, size_t n)
{
	struct buffer out = BUFFER_INIT;

	for (size_t i = 0; i < n; i++)
		buffer_puts(&out, text);
	assert_false(out.failed);
	return out.data;
}

static void bounds_one_pattern(void **state)
{
	cleanup_free char *most = repeated("ab", PATH_FILTER_MAX_PATTERN / 2);
	cleanup_free char *more = repeated("\xc3\xa9", PATH_FILTER_MAX_PATTERN / 2 + 1);

	(void)state;
	assert_string_equal(kept(NULL, LIST(most)), "11111");
	assert_non_null(strstr(refusal(NULL, LIST(more)), "skipFile pattern \"\xc3\xa9"));
	assert_non_null(strstr(refusal(NULL, LIST(more)),
			       "\xe2\x80\xa6\": 4098 bytes long: at most 4096 are allowed"));
}

static void bounds_all_patterns(void **state)
{
	cleanup_free char *pattern = repeated("x", PATH_FILTER_MAX_PATTERN);
	const char *list[PATH_FILTER_MAX_PATTERNS + 2] = {NULL};

	(void)state;
	for (size_t i = 0; i < PATH_FILTER_MAX_PATTERNS; i++)
		list[i] = "mock";
	assert_string_equal(kept(NULL, list), "11011");
	assert_string_equal(refusal(LIST("a"), list),
			    "1001 patterns in coverFile and skipFile: at most 1000 are allowed");
	memset(list, 0, sizeof list);
	for (size_t i = 0; i < PATH_FILTER_MAX_BYTES / PATH_FILTER_MAX_PATTERN; i++)
		list[i] = pattern;
	assert_string_equal(kept(NULL, list), "11111");
	assert_string_equal(refusal(LIST("y"), list),
			    "65537 bytes of patterns in coverFile and skipFile: at most 65536 are "
			    "allowed");
}

/* The message with which searching n times the same path ends. */
static const char *over_budget(const char *pattern, const char *path, size_t n)
{
	static struct error err;
	cleanup_path_filter struct path_filter *filter = filter_of(NULL, LIST(pattern), &err);
	cleanup_free struct path_ref *paths = calloc(n, sizeof *paths);
	cleanup_free bool *keep = calloc(n, sizeof *keep);

	assert_non_null(filter);
	for (size_t i = 0; i < n; i++)
		paths[i] = (struct path_ref){path, strlen(path)};
	memset(&err, 0, sizeof err);
	if (path_filter_apply(filter, paths, n, keep, &err) == 0)
		fail_msg("%s is no trouble", pattern);
	assert_int_equal(err.class, ERROR_OVER_BUDGET);
	assert_true(utf8_valid(err.message, strlen(err.message)));
	return err.message;
}

static void stops_hostile_patterns(void **state)
{
	static const char *const hostile[] = {
	    "(.*a){12}$",
	    "^(a|aa)+$",
	    "^(([ab]+)(a|c)?)+$",
	};
	cleanup_free char *path = repeated("a", 200);

	(void)state;
	path[199] = '/';
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
		assert_non_null(strstr(over_budget(hostile[i], path, 1), "takes too many steps"));
}

static void stops_sooner_on_long_paths(void **state)
{
	cleanup_free char *path = repeated("a", 4096);

	(void)state;
	assert_non_null(
	    strstr(over_budget("b.*a.*a.*a.*!x|a.*a.*a.*!x", path, 1), "takes too many steps"));
}

static void names_pattern_and_path_when_it_stops(void **state)
{
	static const char path[] =
	    "shop/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.go";
	cleanup_free char *bad_bytes = repeated("\xe9", 3000);
	cleanup_free char *letters = repeated("\xc3\xa9", 1500);
	cleanup_buffer struct buffer long_path = BUFFER_INIT;
	cleanup_buffer struct buffer pattern = BUFFER_INIT;
	char expected[512];

	(void)state;
	snprintf(expected, sizeof expected,
		 "skipFile pattern \"(.*a){12}$\" takes too many steps to match on \"%s\": use a "
		 "simpler one, with fewer repetitions in a row or one inside the other",
		 path);
	assert_string_equal(over_budget("(.*a){12}$", path, 1), expected);
	buffer_printf(&pattern, "(.*a|%s){12}$", letters);
	buffer_printf(&long_path, "%s%s", path, bad_bytes);
	assert_true(strlen(over_budget(pattern.data, long_path.data, 1)) < ERROR_MESSAGE_MAX - 100);
}

/* Each search is within its limits, all of them together are not. */
static void bounds_the_time_of_all_searches(void **state)
{
	(void)state;
	assert_string_equal(over_budget("^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaa!", 100000),
			    "the patterns took 2 s of processor time, and skipFile pattern "
			    "\"^(a|aa)+$\" was not done by then: use fewer or simpler ones");
}

static void the_budget_is_for_all_calls_together(void **state)
{
	cleanup_path_filter struct path_filter *filter = NULL;
	const struct path_ref path = {"aaaaaaaaaaaaaaaaaaaa!", 21};
	struct error err = {0};
	bool keep;
	int r = 0;

	(void)state;
	filter = filter_of(NULL, LIST("^(a|aa)+$"), &err);
	assert_non_null(filter);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = path_filter_apply(filter, &path, 1, &keep, &err);
	assert_int_equal(r, -1);
	assert_int_equal(err.class, ERROR_OVER_BUDGET);
	assert_int_equal(path_filter_apply(filter, &path, 1, &keep, &err), -1);
}

static void takes_many_paths(void **state)
{
	enum { N = 5000 };
	cleanup_path_filter struct path_filter *filter =
	    filter_of(LIST("[02468]$"), LIST("^1"), NULL);
	static char texts[N][8];
	static struct path_ref paths[N];
	static bool keep[N];

	(void)state;
	for (size_t i = 0; i < N; i++)
		paths[i] = (struct path_ref){texts[i],
					     (size_t)snprintf(texts[i], sizeof texts[i], "%zu", i)};
	assert_int_equal(path_filter_apply(filter, paths, N, keep, NULL), 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(keep[i], i % 2 == 0 && texts[i][0] != '1');
}

/* Returns NULL when all went well, otherwise arg. */
static void *filter_again_and_again(void *arg)
{
	static const char *const skip[] = {"(?i)_MOCK\\.go$", "\\p{Greek}|caf\\x{fffd}", NULL};
	bool keep[SHOP];

	for (int i = 0; i < 200; i++) {
		cleanup_string_list struct string_list cover = STRING_LIST_INIT,
						       skips = STRING_LIST_INIT;
		cleanup_path_filter struct path_filter *filter = NULL;

		for (size_t k = 0; skip[k]; k++)
			if (string_list_add(&skips, skip[k], strlen(skip[k])) < 0)
				return arg;
		filter = path_filter_new(&cover, &skips, NULL);
		if (!filter || path_filter_apply(filter, shop, SHOP, keep, NULL) < 0)
			return arg;
		if (!keep[0] || !keep[1] || keep[2] || keep[3] || !keep[4])
			return arg;
	}
	return NULL;
}

static void serves_several_threads(void **state)
{
	static char some;
	pthread_t threads[4];
	void *result;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, filter_again_and_again, &some),
				 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_what_is_covered_and_not_skipped),
	    cmocka_unit_test(reads_bad_bytes_as_go_does),
	    cmocka_unit_test(knows_when_it_is_empty),
	    cmocka_unit_test(names_field_pattern_and_fault),
	    cmocka_unit_test(bounds_one_pattern),
	    cmocka_unit_test(bounds_all_patterns),
	    cmocka_unit_test(stops_hostile_patterns),
	    cmocka_unit_test(stops_sooner_on_long_paths),
	    cmocka_unit_test(names_pattern_and_path_when_it_stops),
	    cmocka_unit_test(bounds_the_time_of_all_searches),
	    cmocka_unit_test(the_budget_is_for_all_calls_together),
	    cmocka_unit_test(takes_many_paths),
	    cmocka_unit_test(serves_several_threads),
	};

	if (path_filter_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
