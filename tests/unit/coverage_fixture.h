/* Coverage directories of hand-made files in the scratch directory, and reading them. */
#ifndef GOVERAGE_TESTS_UNIT_COVERAGE_FIXTURE_H
#define GOVERAGE_TESTS_UNIT_COVERAGE_FIXTURE_H

#include "unit.h"

#include <sys/stat.h>

#include "cgi/directory/coverage_set.h"
#include "made_coverage.h"
#include "scratch.h"

static const char *const prog_a[] = {"example.com/lib", "example.com/a", NULL};
static const char *const prog_b[] = {"example.com/b", NULL};

static inline void write_meta(const char *name, const char *const *packages, uint8_t mode)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_meta(&b, packages, mode);
	write_file(in_scratch(name), b.data, b.len);
}

static inline void write_counters(const char *name)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;

	make_counters(&b, 1);
	write_file(in_scratch(name), b.data, b.len);
}

static inline void make_dir(const char *name)
{
	assert_int_equal(mkdir(in_scratch(name), 0700), 0);
}

static inline int read_set(struct coverage_set *set, const char *gocoverdir, struct error *err)
{
	struct deadline deadline = deadline_in_ms(60000, -1);

	memset(err, 0, sizeof *err);
	return coverage_set_read(set, gocoverdir, &deadline, err);
}

static inline void expect_error(const char *gocoverdir, enum error_class class, const char *part)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	struct error err;

	assert_int_equal(read_set(&set, gocoverdir, &err), -1);
	assert_int_equal(err.class, class);
	if (!strstr(err.message, part))
		fail_msg("no \"%s\" in: %s", part, err.message);
}

#endif
