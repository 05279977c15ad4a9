/* Scripts that stand for covdata and go and say how they were called. */
#ifndef GOVERAGE_TESTS_UNIT_TOOL_FIXTURE_H
#define GOVERAGE_TESTS_UNIT_TOOL_FIXTURE_H

#include "unit.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "cgi/base/io.h"
#include "cgi/covdata/covdata_tool.h"
#include "scratch.h"

#define DEFAULT_PATH "/usr/bin:/bin"

/* SCRATCH/name: an executable script of these lines. */
static inline void write_script(const char *name, const char *lines)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	buffer_printf(&text, "#!/bin/sh\n%s\n", lines);
	write_file(in_scratch(name), text.data, text.len);
	assert_int_equal(chmod(in_scratch(name), 0755), 0);
}

static inline void make_dir(const char *name)
{
	assert_int_equal(mkdir(in_scratch(name), 0700), 0);
}

/* PATH=SCRATCH/first[:SCRATCH/second]:/usr/bin:/bin */
static inline void set_path(const char *first, const char *second)
{
	char path[512];

	snprintf(path, sizeof path, "%s%s%s:" DEFAULT_PATH, in_scratch(first), second ? ":" : "",
		 second ? in_scratch(second) : "");
	assert_int_equal(setenv("PATH", path, 1), 0);
}

static inline struct covdata *find(const char *setting, struct error *err)
{
	struct settings settings = {.covdata = setting};

	memset(err, 0, sizeof *err);
	return covdata_find(&settings, err);
}

/* What `covdata textfmt` prints; its status must be 0. */
static inline char *output_of(struct covdata *covdata)
{
	const char *const args[] = {"textfmt", NULL};
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_with(child_result_free) struct child_result result = {0};
	cleanup_fd int out = memfd_create("out", MFD_CLOEXEC);
	struct error err = {0};
	static char text[8192];
	ssize_t n;

	if (covdata_run(covdata, args, out, &result, &deadline, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(result.wait_status, 0);
	n = io_pread_full(out, text, sizeof text - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

#endif
