/* A real covdata, of Go 1.23, and the coverage files of a real program. */
#ifndef GOVERAGE_TESTS_UNIT_COVDATA_FIXTURE_H
#define GOVERAGE_TESTS_UNIT_COVDATA_FIXTURE_H

#include "unit.h"

#include <sys/stat.h>

#include "cgi/base/io.h"
#include "cgi/covdata/covdata.h"
#include "made_coverage.h"
#include "scratch.h"

#define GO_ENVIRONMENT                                                                             \
	"GOCACHE=%1$s/cache GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOWORK=off GOENV=off "  \
	"HOME=%1$s CGO_ENABLED=0 "

static char covdata_path[512]; /* covdata of Go 1.23 */
static struct covdata *covdata;
static size_t shown; /* bytes of the last profile */

static inline int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline int sh(const char *fmt, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	return system(command);
}

/* The one line that a command prints. */
static inline int ask(const char *command, char *out, size_t room)
{
	FILE *pipe = popen(command, "re");

	if (!pipe)
		return -1;
	if (!fgets(out, (int)room, pipe))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return pclose(pipe) == 0 && out[0] ? 0 : -1;
}

static const char program_text[] =
    "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc size(n int) string {\n"
    "\tif n > 2 {\n\t\treturn \"many\"\n\t}\n\treturn \"few\"\n}\n\n"
    "func main() {\n\tfmt.Println(size(len(os.Args)))\n}\n";

static inline int find_go(char *go, size_t room)
{
	const char *root = getenv("abs_top_srcdir");
	char command[1024];

	if (!root)
		root = getenv("srcdir");
	snprintf(command, sizeof command, "'%s/scripts/go-toolchain' 1.23", root ? root : ".");
	return ask(command, go, room);
}

/* SCRATCH/set-1, SCRATCH/set-2 and SCRATCH/atomic: coverage of two modes. */
static inline int make_data(void)
{
	char go[512], command[1024];

	if (find_go(go, sizeof go) < 0)
		return -1;
	snprintf(command, sizeof command, "'%s' tool -n covdata", go);
	if (ask(command, covdata_path, sizeof covdata_path) < 0)
		return -1;
	write_file(in_scratch("main.go"), program_text, sizeof program_text - 1);
	write_file(in_scratch("go.mod"), "module example.com/prog\n\ngo 1.21\n", 33);
	if (sh("cd %1$s && mkdir set-1 set-2 atomic && " GO_ENVIRONMENT
	       "'%2$s' build -cover -o set . && " GO_ENVIRONMENT
	       "'%2$s' build -cover -covermode=atomic -o atom .",
	       scratch, go) != 0)
		return -1;
	return sh("cd %s && for d in 1 2; do for a in '' 'x y'; do GOCOVERDIR=set-$d ./set $a; "
		  "GOCOVERDIR=atomic ./atom $a; done; done >/dev/null",
		  scratch);
}

static inline int start(void **state)
{
	struct settings settings = {.covdata = covdata_path};
	struct error err = {0};

	if (make_scratch(state) < 0 || make_data() != 0)
		return -1;
	covdata = covdata_find(&settings, &err);
	return covdata ? 0 : -1;
}

static inline int finish(void **state)
{
	covdata_free(covdata);
	return remove_scratch(state);
}

struct answer {
	struct coverage_set set;
	struct staging staging;
	const char *extra;
	int fd;
	struct error err;
};

static inline void prepare(struct answer *answer, const char *gocoverdir)
{
	struct deadline deadline = deadline_in_ms(60000, -1);

	memset(answer, 0, sizeof *answer);
	answer->fd = -1;
	assert_int_equal(coverage_set_read(&answer->set, gocoverdir, &deadline, &answer->err), 0);
	assert_int_equal(staging_open(&answer->staging, &answer->err), 0);
}

static inline void run(struct answer *answer)
{
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct stat st;

	answer->fd = covdata_textfmt(covdata, &answer->set, &answer->staging, answer->extra,
				     &deadline, &answer->err);
	/* the links are gone on every path */
	assert_int_equal(fstatat(answer->staging.fd, "0", &st, AT_SYMLINK_NOFOLLOW), -1);
}

static inline void free_answer(struct answer *answer)
{
	if (answer->fd >= 0)
		close(answer->fd);
	staging_close(&answer->staging);
	coverage_set_free(&answer->set);
}

#define cleanup_answer cleanup_with(free_answer)

static inline const char *text_of(int fd)
{
	static char text[65536];
	ssize_t n = io_pread_full(fd, text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	shown = (size_t)n;
	return text;
}

/* What covdata itself prints for directories that hold nothing bad; list separated by commas. */
static inline const char *bare(const char *dirs)
{
	static char text[65536];
	cleanup_fd int fd = -1;
	ssize_t n;

	assert_int_equal(sh("'%s' textfmt -i=%s -o=%s/bare", covdata_path, dirs, scratch), 0);
	fd = open(in_scratch("bare"), O_RDONLY | O_CLOEXEC);
	n = io_read_full(fd, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = '\0';
	return text;
}

/* A copy of SCRATCH/set-1 to be spoiled. */
static inline void copy_data(const char *name)
{
	assert_int_equal(sh("cp -r %1$s/set-1 %1$s/%2$s", scratch, name), 0);
}

static inline void expect_profile(struct answer *answer, const char *dirs)
{
	if (answer->fd < 0)
		fail_msg("%s", answer->err.message);
	assert_string_equal(text_of(answer->fd), bare(dirs));
}

#endif
