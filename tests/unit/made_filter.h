/* A path filter of one skip and one cover pattern at most. */
#ifndef GOVERAGE_TESTS_UNIT_MADE_FILTER_H
#define GOVERAGE_TESTS_UNIT_MADE_FILTER_H

#include "unit.h"

#include "cgi/base/string_list.h"
#include "cgi/pattern/path_filter.h"

/* NULL = no such pattern; the caller frees the filter. */
static inline struct path_filter *make_filter(const char *skip, const char *cover)
{
	cleanup_string_list struct string_list skips = STRING_LIST_INIT, covers = STRING_LIST_INIT;
	struct path_filter *filter;
	struct error err = {0};

	if (skip)
		assert_int_equal(string_list_add(&skips, skip, strlen(skip)), 0);
	if (cover)
		assert_int_equal(string_list_add(&covers, cover, strlen(cover)), 0);
	filter = path_filter_new(&covers, &skips, &err);
	assert_non_null(filter);
	return filter;
}

#endif
