#include "cgi/report/options.h"

static const char plain_text[] = "text/plain; charset=utf-8";
static const char json_text[] = "application/json; charset=utf-8";

static const struct kind {
	const char *name, *type, *file;
} kinds[REPORT_KINDS] = {
    [REPORT_TEXT] = {"text", plain_text, "coverage.out"},
    [REPORT_PERCENT] = {"percent", plain_text, "coverage-percent.txt"},
    [REPORT_PACKAGES] = {"packages", plain_text, "coverage-packages.txt"},
    [REPORT_FUNC] = {"func", plain_text, "coverage-func.txt"},
    [REPORT_JSON] = {"json", json_text, "coverage.json"},
    [REPORT_LCOV] = {"lcov", plain_text, "lcov.info"},
    [REPORT_COBERTURA] = {"cobertura", "application/xml; charset=utf-8", "coverage.xml"},
    [REPORT_BADGE] = {"badge", "image/svg+xml; charset=utf-8", "coverage.svg"},
    [REPORT_STRUCTURE] = {"structure", json_text, "structure.json"},
    [REPORT_COUNTERS] = {"counters", json_text, "counters.json"},
};

const char *report_kind_name(enum report_kind kind)
{
	return kinds[kind].name;
}

const char *report_kind_type(enum report_kind kind)
{
	return kinds[kind].type;
}

const char *report_kind_file(enum report_kind kind)
{
	return kinds[kind].file;
}

void report_options_free(struct report_options *options)
{
	string_list_free(&options->modules);
	string_list_free(&options->prefix);
	string_list_free(&options->test);
	string_list_free(&options->label);
	*options = REPORT_OPTIONS_INIT;
}
