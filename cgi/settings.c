#include "cgi/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	DEFAULT_TIMEOUT_S = 30, /* mod_fcgid gives up at 40 */
	MAX_TIMEOUT_S = 3600,
	DEFAULT_MAX_BODY = 1 << 20,
	MAX_MAX_BODY = 1 << 30,
	MAX_WORKERS = 256,
};

static const char *const live_words[] = {
    [LIVE_SETTING_AUTO] = "auto",
    [LIVE_SETTING_OFF] = "off",
    [LIVE_SETTING_REQUIRED] = "required",
};

static int set_text(struct settings *s, size_t offset, const char *name, const char *value,
		    struct error *err)
{
	(void)name;
	(void)err;
	*(const char **)((char *)s + offset) = value;
	return 0;
}

static int parse_number(const char *name, const char *value, long min, long max, long *out,
			struct error *err)
{
	char *end;

	errno = 0;
	*out = strtol(value, &end, 10);
	if (errno || end == value || *end || *value == ' ' || *out < min || *out > max)
		return error_set(err, ERROR_INTERNAL,
				 "%s is \"%.64s\": it must be a whole number from %ld to %ld", name,
				 value, min, max);
	return 0;
}

static int set_timeout(struct settings *s, size_t offset, const char *name, const char *value,
		       struct error *err)
{
	(void)offset;
	return parse_number(name, value, 1, MAX_TIMEOUT_S, &s->timeout_s, err);
}

static int set_max_body(struct settings *s, size_t offset, const char *name, const char *value,
			struct error *err)
{
	long bytes;

	(void)offset;
	if (parse_number(name, value, 0, MAX_MAX_BODY, &bytes, err) < 0)
		return -1;
	s->max_body = (size_t)bytes;
	return 0;
}

static int set_workers(struct settings *s, size_t offset, const char *name, const char *value,
		       struct error *err)
{
	(void)offset;
	return parse_number(name, value, 1, MAX_WORKERS, &s->workers, err);
}

static int set_live(struct settings *s, size_t offset, const char *name, const char *value,
		    struct error *err)
{
	size_t i;

	(void)offset;
	for (i = 0; i < sizeof live_words / sizeof *live_words; i++) {
		if (strcmp(value, live_words[i]) == 0) {
			s->live = (enum live_setting)i;
			return 0;
		}
	}
	return error_set(err, ERROR_INTERNAL, "%s is \"%.64s\": it must be auto, off or required",
			 name, value);
}

/* The one table of settings: what reads a variable, and what --help says of it. */
static const struct variable {
	const char *name;
	int (*set)(struct settings *, size_t offset, const char *name, const char *value,
		   struct error *);
	size_t offset;
	const char *standard; /* the default, in words */
	const char *meaning;
} variables[] = {
    {"GOCOVERDIR", set_text, offsetof(struct settings, gocoverdir), "required",
     "coverage directory, or several separated by commas"},
    {"GOVERAGE_COVDATA", set_text, offsetof(struct settings, covdata),
     "covdata on PATH, go tool covdata, or beside this program", "the covdata program"},
    {"GOVERAGE_LIVE", set_live, 0, "auto",
     "read running processes: auto, off, required (unreadable ones are an error)"},
    {"GOVERAGE_TIMEOUT", set_timeout, 0, "30", "seconds for one answer, covdata included"},
    {"GOVERAGE_MAX_BODY", set_max_body, 0, "1048576", "bytes of request body"},
    {"GOVERAGE_WORKERS", set_workers, 0, "number of CPUs, 2 at least",
     "requests that one FastCGI process answers at once"},
};

int settings_read(struct settings *settings, struct error *err)
{
	size_t i;

	*settings = (struct settings){
	    .live = LIVE_SETTING_AUTO,
	    .timeout_s = DEFAULT_TIMEOUT_S,
	    .max_body = DEFAULT_MAX_BODY,
	};
	for (i = 0; i < sizeof variables / sizeof *variables; i++) {
		const struct variable *v = &variables[i];
		const char *value = getenv(v->name);

		/* an empty value is as good as none: web servers can't unset a variable */
		if (value && *value && v->set(settings, v->offset, v->name, value, err) < 0)
			return -1;
	}
	return 0;
}

void settings_describe(struct buffer *out)
{
	size_t i;

	for (i = 0; i < sizeof variables / sizeof *variables; i++)
		buffer_printf(out, "  %-17s %s\n  %-17s [%s]\n", variables[i].name,
			      variables[i].meaning, "", variables[i].standard);
}
