/*
 * The reading of running processes without the rest of the program, for the tests in this
 * directory:
 *
 *   live_snapshot [-o DIR] [-s SERVICE]... [-t MS] [-n TIMES] [-r] [-x COMMAND] [-q] GOCOVERDIR...
 *
 *   -o DIR       write the snapshots there (-n: each time into a new directory DIR/0, DIR/1, ...)
 *   -s SERVICE   only programs of this name
 *   -t MS        deadline, default 30000
 *   -n TIMES     so many times, with one cache, as the persistent process does
 *   -r           list the directories afterwards and take away what would be counted twice; prints
 * a line "file PATH" for each file that is left -q           print only the sums and the time
 *
 * One line for each process, TAB between key=value fields; then "read=N denied=N gone=N
 * unsupported=N".
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgi/base/buffer.h"
#include "cgi/live/live.h"

struct options {
	const char *out, *between;
	struct string_list services, dirs;
	long deadline_ms, times;
	bool reconcile, quiet;
};

static void print_text(const char *key, const char *value)
{
	if (value)
		printf("\t%s=%s", key, value);
}

static void print_process(const struct live_process *p)
{
	printf("state=%s\tpid=%d\tns_pid=%" PRIu64 "\tstart_ns=%" PRId64, live_state_name(p->state),
	       (int)p->pid, p->ns_pid, p->start_ns);
	print_text("program", p->program);
	print_text("executable", p->executable);
	print_text("library", p->library);
	print_text("reason", p->reason);
	print_text("hash", p->hash);
	if (p->state == LIVE_READ)
		printf("\tmode=%s\tfunctions=%" PRIu64 "\ttouched=%" PRIu64
		       "\tslots_dropped=%" PRIu64 "\twrote_meta=%d",
		       counter_mode_name(p->mode), p->functions, p->functions_touched,
		       p->slots_dropped, p->wrote_meta);
	print_text("go", p->go_version);
	print_text("main", p->main_path);
	print_text("module", p->module_path);
	print_text("version", p->module_version);
	print_text("revision", p->vcs_revision);
	print_text("file", p->counters_file);
	putchar('\n');
}

static void print_report(const struct options *options, const struct live_report *report,
			 int64_t took_ns)
{
	size_t i;

	for (i = 0; i < report->n && !options->quiet; i++)
		print_process(&report->processes[i]);
	printf("read=%zu denied=%zu gone=%zu unsupported=%zu dropped=%zu superseded=%zu us=%" PRId64
	       "\n",
	       report->read, report->denied, report->gone, report->unsupported,
	       report->dropped_snapshots, report->superseded_files, took_ns / 1000);
}

static int reconcile(const struct options *options, struct live_report *report,
		     struct memory_files *snapshots, const struct deadline *deadline,
		     struct error *err)
{
	cleanup_coverage_set struct coverage_set set = COVERAGE_SET_INIT;
	cleanup_buffer struct buffer gocoverdir = BUFFER_INIT;
	size_t i;

	for (i = 0; i < options->dirs.n; i++)
		buffer_printf(&gocoverdir, "%s%s", i ? "," : "", options->dirs.items[i].text);
	if (coverage_set_read(&set, buffer_str(&gocoverdir), deadline, err) < 0 ||
	    live_reconcile(report, &set, snapshots, deadline, err) < 0)
		return -1;
	for (i = 0; i < set.n_files; i++)
		printf("file %s/%s\n", set.dirs.items[set.files[i].dir].text, set.files[i].name);
	return 0;
}

/* The directory for time number `time`. */
static int open_out(const struct options *options, long time)
{
	char path[4096];

	if (options->times == 1)
		snprintf(path, sizeof path, "%s", options->out);
	else
		snprintf(path, sizeof path, "%s/%ld", options->out, time);
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		perror(path);
		exit(2);
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What is left of the snapshots. */
static int write_out(const struct options *options, long time, const struct memory_files *snapshots,
		     struct error *err)
{
	cleanup_fd int out_fd = options->out ? open_out(options, time) : -1;

	return options->out ? memory_files_store(snapshots, out_fd, err) : 0;
}

static int poll_once(const struct options *options, struct live_cache *cache, long time)
{
	cleanup_live_report struct live_report report = LIVE_REPORT_INIT;
	cleanup_memory_files struct memory_files snapshots = MEMORY_FILES_INIT;
	struct deadline deadline = deadline_in_ms(options->deadline_ms, -1);
	struct error err = {0};
	int64_t start = monotonic_ns(), end;

	if (live_snapshot(cache, &options->dirs, &options->services,
			  options->out ? &snapshots : NULL, &deadline, &report, &err) < 0) {
		printf("error=%d %s\n", error_status(err.class), err.message);
		return -1;
	}
	end = monotonic_ns();
	if (options->between && system(options->between) != 0)
		return -1;
	if ((options->reconcile && reconcile(options, &report, &snapshots, &deadline, &err) < 0) ||
	    write_out(options, time, &snapshots, &err) < 0) {
		printf("error=%d %s\n", error_status(err.class), err.message);
		return -1;
	}
	print_report(options, &report, end - start);
	fflush(stdout);
	return 0;
}

static void must_add(struct string_list *list, const char *text)
{
	if (string_list_add(list, text, strlen(text)) < 0)
		exit(2);
}

static void parse_options(struct options *options, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "o:s:t:n:rx:q")) != -1) {
		switch (c) {
		case 'o':
			options->out = optarg;
			break;
		case 's':
			must_add(&options->services, optarg);
			break;
		case 't':
			options->deadline_ms = atol(optarg);
			break;
		case 'n':
			options->times = atol(optarg);
			break;
		case 'r':
			options->reconcile = true;
			break;
		case 'x':
			options->between = optarg;
			break;
		case 'q':
			options->quiet = true;
			break;
		default:
			exit(2);
		}
	}
	for (; optind < argc; optind++)
		must_add(&options->dirs, argv[optind]);
}

int main(int argc, char **argv)
{
	struct options options = {.deadline_ms = 30000, .times = 1};
	struct live_cache *cache = live_cache_new();
	int status = cache ? 0 : 2;
	long time;

	parse_options(&options, argc, argv);
	for (time = 0; time < options.times && !status; time++)
		if (poll_once(&options, cache, time) < 0)
			status = 1;
	live_cache_free(cache);
	string_list_free(&options.services);
	string_list_free(&options.dirs);
	return status;
}
