/* Whether the programs of a set count alike; if not, which of them do what. */
#include <fcntl.h>
#include <string.h>

#include "cgi/base/buffer.h"
#include "cgi/directory/coverage_screen.h"
#include "cgi/directory/coverage_set.h"

enum { PROGRAMS_NAMED = 3 }; /* of each mode */

/* What meta-data files are told apart by. */
typedef uint8_t property(const struct coverage_file *file);

static uint8_t mode_of(const struct coverage_file *file)
{
	return file->mode;
}

static uint8_t granularity_of(const struct coverage_file *file)
{
	return file->granularity;
}

static const char *granularity_name(unsigned granularity)
{
	return granularity == GRANULARITY_PERBLOCK  ? "perblock"
	       : granularity == GRANULARITY_PERFUNC ? "perfunc"
						    : "<invalid>";
}

/* Meta-data of a format that is not known yet has no mode for us: covdata may know it. */
static bool is_told(const struct coverage_file *file)
{
	return file->kind == COVERAGE_META && file->mode != COUNTER_MODE_NONE;
}

/* Do all files of the set have the same one? */
static bool is_uniform(const struct coverage_set *set, property *of)
{
	const struct coverage_file *first = NULL;
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		const struct coverage_file *file = &set->files[i];

		if (!is_told(file))
			continue;
		if (!first)
			first = file;
		if (of(file) != of(first))
			return false;
	}
	return true;
}

/* The import path of its program; the name of the file where that can't be read. */
static void add_program(const struct coverage_set *set, const struct coverage_file *file,
			struct string_list *programs)
{
	cleanup_fd int dir =
	    open(set->dirs.items[file->dir].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int fd = openat(dir, file->name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *shown = file->name;
	char program[160];

	if (fd >= 0 && coverage_program(fd, file->size, program, sizeof program))
		shown = program;
	if (!string_list_has(programs, shown, strlen(shown)) &&
	    string_list_add(programs, shown, strlen(shown)) < 0)
		return; /* out of memory: the message names one program less */
}

/* "set (example.com/a, example.com/b and others)" */
static void describe_group(const struct coverage_set *set, property *of, uint8_t value,
			   const char *label, struct buffer *out)
{
	cleanup_string_list struct string_list programs = STRING_LIST_INIT;
	size_t i, named;

	for (i = 0; i < set->n_files && programs.n <= PROGRAMS_NAMED; i++)
		if (is_told(&set->files[i]) && of(&set->files[i]) == value)
			add_program(set, &set->files[i], &programs);
	buffer_printf(out, "%s (", label);
	named = programs.n < PROGRAMS_NAMED ? programs.n : PROGRAMS_NAMED;
	for (i = 0; i < named; i++)
		buffer_printf(out, "%s%s", i ? ", " : "", programs.items[i].text);
	buffer_puts(out, programs.n > PROGRAMS_NAMED ? " and others)" : ")");
}

/* The groups, in the order of their first files. */
static void describe_mix(const struct coverage_set *set, property *of,
			 const char *name_of(unsigned value), struct buffer *out)
{
	bool seen[256] = {false};
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		const struct coverage_file *file = &set->files[i];

		if (!is_told(file) || seen[of(file)])
			continue;
		seen[of(file)] = true;
		buffer_puts(out, out->len ? ", " : "");
		describe_group(set, of, of(file), name_of(of(file)), out);
	}
}

int coverage_set_check_modes(const struct coverage_set *set, struct error *err)
{
	cleanup_buffer struct buffer mix = BUFFER_INIT;

	if (!is_uniform(set, mode_of)) {
		describe_mix(set, mode_of, counter_mode_name, &mix);
		return error_set(err, ERROR_CONFLICT,
				 "GOCOVERDIR mixes counter modes, which covdata can't merge: %s; "
				 "give each mode a directory of its own, or rebuild with one "
				 "-covermode",
				 buffer_str(&mix));
	}
	if (!is_uniform(set, granularity_of)) {
		describe_mix(set, granularity_of, granularity_name, &mix);
		return error_set(err, ERROR_CONFLICT,
				 "GOCOVERDIR mixes counter granularities, which covdata can't "
				 "merge: %s; give each a directory of its own",
				 buffer_str(&mix));
	}
	return 0;
}
