/*
 * Prints the profile of coverage directories with the built-in reader, in place of covdata:
 *
 *	read_textfmt [--strict] [--live DIR] DIR[,DIR ...]
 *
 * What there is to say about the profile goes to standard error.  With --serve it keeps its state
 *(--keep BYTES, default 256 MiB), and answers requests, one a line on standard input:
 *
 *	poll		the profile
 *	since DIGEST	what it has beyond that of an earlier answer
 *
 * with a line "ok SIZE WORD=VALUE ..." and SIZE bytes, or a line "error STATUS MESSAGE".
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/base/log.h"
#include "cgi/state/reader.h"
#include "cgi/text/textfmt_writer.h"
#include "tests/lib/listing.h"
#include "tests/lib/memory_dir.h"

struct options {
	const char *dirs, *live;
	bool strict, serve;
	size_t keep;
};

static void print_report(FILE *out, const struct reader_report *report)
{
	fprintf(out,
		"programs=%zu counters=%zu skipped=%zu mixed=%d builds=%u example=%s ignored=%llu "
		"digest=%s\n",
		report->n_programs, report->n_counter_files, report->n_skipped, report->mixed_modes,
		report->several_builds,
		report->several_builds_example ? report->several_builds_example : "-",
		(unsigned long long)report->ignored_entries, report->digest);
}

static int to_stdout(void *unused, const char *bytes, size_t n)
{
	(void)unused;
	return io_write_full(1, bytes, n);
}

/* Once it is written piece by piece, as for CGI; in a session it is put together first. */
static int send_out(struct textfmt_writer *writer, bool serve, struct error *err)
{
	cleanup_profile_text struct profile_text *text = NULL;
	int rc;

	fflush(stdout);
	if (serve) {
		text = textfmt_writer_text(writer, NULL, err);
		rc = text ? to_stdout(NULL, text->bytes, text->len) : -1;
	} else {
		rc = textfmt_writer_send(writer, to_stdout, NULL);
	}
	return rc < 0 ? error_set(err, ERROR_INTERNAL, "can't print the profile") : 0;
}

/* The profile to print: all of it, or what it has beyond an earlier one. */
static struct covprofile *choose(struct reader *reader, struct covprofile *all, const char *since,
				 struct error *err)
{
	cleanup_covprofile struct covprofile *before = NULL;

	if (!since)
		return covprofile_use(all);
	if (reader_recall(reader, since, &before, err) == 0 && !before)
		error_set(err, ERROR_NOT_FOUND, "no such state");
	return before ? reader_subtract(all, before, err) : NULL;
}

static int answer(struct reader *reader, const struct options *options, const char *since,
		  struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_reader_report struct reader_report report = READER_REPORT_INIT;
	cleanup_covprofile struct covprofile *all = NULL, *chosen = NULL;
	cleanup_memory_files struct memory_files live = MEMORY_FILES_INIT;
	cleanup_textfmt_writer struct textfmt_writer *writer = NULL;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct reader_request request = {
	    .set = &set, .live = &live, .strict_modes = options->strict, .deadline = &deadline};

	/* the names alone: the reader looks into the files itself */
	if (listing_read(reader, &set, options->dirs, &deadline, err) < 0 ||
	    (options->live && memory_dir_read(&live, options->live, err) < 0))
		return -1;
	all = reader_load(reader, &request, &report, err);
	chosen = all ? choose(reader, all, since, err) : NULL;
	writer = chosen ? textfmt_writer_new(chosen, NULL, &deadline, err) : NULL;
	if (!writer)
		return -1;
	if (options->serve) {
		reader_remember(reader, all, report.digest);
		printf("ok %zu ", textfmt_writer_size(writer));
	}
	print_report(options->serve ? stdout : stderr, &report);
	return send_out(writer, options->serve, err);
}

static int serve(struct reader *reader, const struct options *options)
{
	char line[256];

	while (fgets(line, sizeof line, stdin)) {
		struct error err = {0};
		const char *since = NULL;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "since ", 6) == 0)
			since = line + 6;
		if (answer(reader, options, since, &err) < 0) {
			printf("error %d %s\n", error_status(err.class), err.message);
			fflush(stdout);
		}
	}
	return 0;
}

static int print_once(struct reader *reader, const struct options *options)
{
	struct error err = {0};

	if (answer(reader, options, NULL, &err) == 0)
		return 0;
	fprintf(stderr, "error %d %s\n", error_status(err.class), err.message);
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: read_textfmt [--strict] [--live DIR] [--serve [--keep N]] DIRS\n");
	return 2;
}

static int parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {{"strict", no_argument, NULL, 's'},
					      {"serve", no_argument, NULL, 'r'},
					      {"keep", required_argument, NULL, 'k'},
					      {"live", required_argument, NULL, 'l'},
					      {NULL, 0, NULL, 0}};
	int c;

	*options = (struct options){.keep = 256 << 20};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			options->strict = true;
		else if (c == 'r')
			options->serve = true;
		else if (c == 'k')
			options->keep = strtoul(optarg, NULL, 10);
		else if (c == 'l')
			options->live = optarg;
		else
			return -1;
	}
	if (optind + 1 != argc)
		return -1;
	options->dirs = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct error err = {0};
	struct reader *reader;
	int status;

	if (parse(&options, argc, argv) < 0)
		return usage();
	log_start("read_textfmt");
	reader = reader_new(options.serve ? options.keep : 0, &err);
	if (!reader)
		return 1;
	status = options.serve ? serve(reader, &options) : print_once(reader, &options);
	reader_free(reader);
	return status;
}
