#include "cgi/base/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 TiB, or where a long has 32 bits what one holds */
#define CACHE_MAX (sizeof(long) > 4 ? (long)(INT64_C(1) << 40) : LONG_MAX)

enum kind { KIND_TEXT, KIND_DIRECTORY, KIND_NUMBER, KIND_WORD };

static const char *const live_words[] = {
    [LIVE_SETTING_AUTO] = "auto",
    [LIVE_SETTING_OFF] = "off",
    [LIVE_SETTING_REQUIRED] = "required",
    NULL,
};

static const char *const engine_words[] = {
    [ENGINE_SETTING_AUTO] = "auto",
    [ENGINE_SETTING_COVDATA] = "covdata",
    [ENGINE_SETTING_BUILTIN] = "builtin",
    NULL,
};

static const char *const clear_words[] = {
    [CLEAR_SETTING_ON] = "on",
    [CLEAR_SETTING_OFF] = "off",
    NULL,
};

static const char *const sandbox_words[] = {
    [SANDBOX_SETTING_AUTO] = "auto",
    [SANDBOX_SETTING_ON] = "on",
    [SANDBOX_SETTING_OFF] = "off",
    NULL,
};

/* The one table of settings: how a variable is read, and what --help says of it. */
static const struct variable {
	const char *name;
	enum kind kind;
	size_t offset;		  /* in struct settings: const char *, long, int */
	long standard, min, max;  /* of KIND_NUMBER */
	const char *const *words; /* of KIND_WORD; the first one is the default */
	const char *meaning;
	const char *standard_text; /* the default in words; NULL = it stands above */
} variables[] = {
    {"GOCOVERDIR", KIND_TEXT, offsetof(struct settings, gocoverdir), 0, 0, 0, NULL,
     "coverage directory, or several separated by commas", "required"},
    {"GOVERAGE_CLEAR", KIND_WORD, offsetof(struct settings, clear), 0, 0, 0, clear_words,
     "whether /v1/cover/clear is answered: on, off", NULL},
    {"GOVERAGE_COVDATA", KIND_TEXT, offsetof(struct settings, covdata), 0, 0, 0, NULL,
     "the covdata program", "covdata on PATH, go tool covdata, or beside this program"},
    {"GOVERAGE_ENGINE", KIND_WORD, offsetof(struct settings, engine), 0, 0, 0, engine_words,
     "what makes the profile: auto (covdata where it is found), covdata, builtin", NULL},
    {"GOVERAGE_LIVE", KIND_WORD, offsetof(struct settings, live), 0, 0, 0, live_words,
     "running processes: auto, off, required (one that can't be read is an error)", NULL},
    {"GOVERAGE_TIMEOUT", KIND_NUMBER, offsetof(struct settings, timeout_s), 30, 1, 3600, NULL,
     "seconds for one answer, covdata included", NULL},
    {"GOVERAGE_MAX_BODY", KIND_NUMBER, offsetof(struct settings, max_body), 1 << 20, 0, 1 << 30,
     NULL, "bytes of request body", NULL},
    {"GOVERAGE_CACHE", KIND_NUMBER, offsetof(struct settings, cache_bytes), 256 << 20, 0, CACHE_MAX,
     NULL, "bytes that one FastCGI process keeps between requests; 0 = nothing", NULL},
    {"GOVERAGE_CONNECTIONS", KIND_NUMBER, offsetof(struct settings, connections), 512, 1, 65536,
     NULL, "requests that one FastCGI process holds at once; 503 to further ones", NULL},
    {"GOVERAGE_SANDBOX", KIND_WORD, offsetof(struct settings, sandbox), 0, 0, 0, sandbox_words,
     "giving up what the program doesn't need: auto, on (or don't start), off", NULL},
    {"GOVERAGE_STATE", KIND_DIRECTORY, offsetof(struct settings, state), 0, 0, 0, NULL,
     "directory for what /v1/cover/clear must keep", "GOCOVERDIR with .goverage-state behind it"},
    {"GOVERAGE_WORKERS", KIND_NUMBER, offsetof(struct settings, workers), 0, 1, 256, NULL,
     "requests that one FastCGI process works on at once", "number of CPUs, 2 at least"},
};

enum { VARIABLES = sizeof variables / sizeof *variables };

static int set_number(long *out, const struct variable *v, const char *value, struct error *err)
{
	char *end;

	errno = 0;
	*out = strtol(value, &end, 10);
	if (errno || end == value || *end || *value == ' ' || *out < v->min || *out > v->max)
		return error_set(err, ERROR_INTERNAL,
				 "%s is \"%.64s\": it must be a whole number from %ld to %ld",
				 v->name, value, v->min, v->max);
	return 0;
}

/* "a, b or c" */
static void list_words(char *out, size_t room, const char *const *words)
{
	size_t used = 0, i;

	for (i = 0; words[i]; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s",
					 !i		? ""
					 : words[i + 1] ? ", "
							: " or ",
					 words[i]);
}

static int set_word(int *out, const struct variable *v, const char *value, struct error *err)
{
	char words[64];
	int i;

	for (i = 0; v->words[i]; i++) {
		if (strcmp(value, v->words[i]) == 0) {
			*out = i;
			return 0;
		}
	}
	list_words(words, sizeof words, v->words);
	return error_set(err, ERROR_INTERNAL, "%s is \"%.64s\": it must be %s", v->name, value,
			 words);
}

/* covdata, to which such a directory may be shown, takes a list with commas. */
static int set_directory(const char **out, const struct variable *v, const char *value,
			 struct error *err)
{
	if (value[0] != '/' || strchr(value, ','))
		return error_set(err, ERROR_INTERNAL,
				 "%s is \"%.64s\": it must be a path that begins with / and has no "
				 "comma",
				 v->name, value);
	*out = value;
	return 0;
}

static int read_variable(struct settings *settings, const struct variable *v, struct error *err)
{
	char *target = (char *)settings + v->offset;
	const char *value = getenv(v->name);

	if (v->kind == KIND_NUMBER)
		*(long *)target = v->standard;
	/* an empty value is as good as none: web servers can't unset a variable */
	if (!value || !*value)
		return 0;
	switch (v->kind) {
	case KIND_TEXT:
		*(const char **)target = value;
		return 0;
	case KIND_DIRECTORY:
		return set_directory((const char **)target, v, value, err);
	case KIND_NUMBER:
		return set_number((long *)target, v, value, err);
	case KIND_WORD:
		return set_word((int *)target, v, value, err);
	}
	return 0;
}

int settings_read(struct settings *settings, struct error *err)
{
	size_t i;

	*settings = (struct settings){0};
	for (i = 0; i < VARIABLES; i++)
		if (read_variable(settings, &variables[i], err) < 0)
			return -1;
	return 0;
}

void settings_describe(struct buffer *out)
{
	size_t i;

	for (i = 0; i < VARIABLES; i++) {
		const struct variable *v = &variables[i];

		buffer_printf(out, "  %-20s %s\n  %-20s ", v->name, v->meaning, "");
		if (v->standard_text)
			buffer_printf(out, "[%s]\n", v->standard_text);
		else if (v->kind == KIND_WORD)
			buffer_printf(out, "[%s]\n", v->words[0]);
		else
			buffer_printf(out, "[%ld]\n", v->standard);
	}
}
