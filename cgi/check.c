#include "cgi/check.h"

#include <stdbool.h>
#include <unistd.h>

#include "cgi/app_life.h"
#include "cgi/collect/endings.h"
#include "cgi/covdata/covdata_once.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/directory/coverage_set.h"
#include "cgi/directory/staging.h"
#include "cgi/live/live.h"
#include "cgi/text/textfmt.h"

struct check {
	FILE *out;
	struct app *app;
	struct coverage_set set;
	struct deadline deadline;
	bool mixed_modes;
	int failures;
};

static void failed(struct check *check, const struct error *err)
{
	fprintf(check->out, "FAILED: %s\n", err->message);
	check->failures++;
}

/* Something that covdata, but not the built-in reader, needs. */
static void covdata_lacks(struct check *check, const struct error *err)
{
	const struct settings *settings = &check->app->settings;

	/* a covdata that was asked for by name is wanted */
	if (settings->engine == ENGINE_SETTING_COVDATA ||
	    (settings->covdata && !check->mixed_modes))
		failed(check, err);
	else
		fprintf(check->out, "note: the built-in reader answers without covdata: %s\n",
			err->message);
}

static void print_directory(struct check *check, const char *dir)
{
	struct error err = {0};

	fprintf(check->out,
		"ok: GOCOVERDIR %s is readable: %zu meta-data files, %zu counter files, %zu left "
		"out\n",
		dir, check->set.n_meta, check->set.n_counters, check->set.skipped);
	if (check->set.n_meta == 0)
		fputs("note: no covered process has started or ended with this GOCOVERDIR yet\n",
		      check->out);
	check->mixed_modes = coverage_set_check_modes(&check->set, &err) < 0;
	if (check->mixed_modes)
		covdata_lacks(check, &err);
}

static void check_directory(struct check *check)
{
	const char *dir = check->app->settings.gocoverdir;
	struct error err = {0};

	if (!dir) {
		error_set(&err, ERROR_INTERNAL,
			  "GOCOVERDIR is not set: set it to the directory that the covered "
			  "services write to");
		failed(check, &err);
	} else if (coverage_set_read(&check->set, dir, &check->deadline, &err) < 0) {
		failed(check, &err);
	} else {
		print_directory(check, dir);
	}
}

static void print_process(struct check *check, const struct live_process *p)
{
	const char *name = p->program ? p->program : "unknown program";

	if (p->state == LIVE_READ) {
		fprintf(check->out,
			"ok: process %d (%s) is read: mode %s, %llu of %llu functions executed\n",
			(int)p->pid, name, counter_mode_name(p->mode),
			(unsigned long long)p->functions_touched, (unsigned long long)p->functions);
		return;
	}
	if (p->state != LIVE_GONE)
		check->failures++;
	fprintf(check->out, "%s: process %d (%s) is not read: %s\n",
		p->state == LIVE_GONE ? "note" : "FAILED", (int)p->pid, name,
		p->reason ? p->reason : live_state_name(p->state));
}

/* Which processes can be seen is the PID namespace's affair, and that of the options of /proc. */
static void print_unseen(struct check *check, const struct lost_program *p, bool sees_some)
{
	char ns[64];
	ssize_t n = readlink("/proc/self/ns/pid", ns, sizeof ns - 1);

	ns[n > 0 ? n : 0] = '\0';
	check->failures += !sees_some;
	fprintf(check->out,
		"%s: %s has left meta-data without counters, and no process of it is seen: it was "
		"killed or has crashed, or it runs in another PID namespace than this program, "
		"which is in %s (docker run --pid=container:NAME; Kubernetes: "
		"shareProcessNamespace: true), or /proc hides it (hidepid): where it has ended, "
		"remove covmeta.%s\n",
		sees_some ? "note" : "FAILED", p->name, n > 0 ? ns : "a namespace of its own",
		p->hash);
}

static void check_endings(struct check *check, const struct coverage_dirs *dirs,
			  const struct live_report *live, int64_t looked_ns)
{
	const struct string_list all = STRING_LIST_INIT;
	const struct endings_view view = {.dirs = dirs,
					  .set = &check->set,
					  .live = live,
					  .services = &all,
					  .cache = check->app->live_cache,
					  .looked_ns = looked_ns,
					  .seen = check->app->seen,
					  .deadline = &check->deadline};
	cleanup_endings struct endings endings = ENDINGS_INIT;
	struct error err = {0};
	size_t i;

	if (endings_find(&endings, &view, &err) < 0) {
		failed(check, &err);
		return;
	}
	for (i = 0; i < endings.n; i++)
		print_unseen(check, &endings.programs[i], live->n > 0);
}

static void check_processes(struct check *check)
{
	cleanup_coverage_dirs struct coverage_dirs dirs = {0};
	cleanup_live_report struct live_report report = LIVE_REPORT_INIT;
	const int64_t looked_ns = endings_now_ns();
	const struct settings *settings = &check->app->settings;
	struct error err = {0};
	size_t i;

	if (settings->live == LIVE_SETTING_OFF) {
		fputs("note: running processes are not read: GOVERAGE_LIVE is off\n", check->out);
		return;
	}
	if (!settings->gocoverdir || coverage_dirs_open(&dirs, settings->gocoverdir, &err) < 0)
		return; /* that has been said already */
	if (live_snapshot(check->app->live_cache, &dirs.paths, NULL, NULL, &check->deadline,
			  &report, &err) < 0) {
		failed(check, &err);
		return;
	}
	for (i = 0; i < report.n; i++)
		print_process(check, &report.processes[i]);
	if (report.n == 0)
		fputs("note: no running process has this GOCOVERDIR and coverage counters\n",
		      check->out);
	check_endings(check, &dirs, &report, looked_ns);
}

/* covdata on what is there, if it can answer for it. */
static int try_covdata(struct check *check, struct covdata *covdata, struct error *err)
{
	cleanup_profile_text struct profile_text *text = NULL;
	cleanup_staging struct staging staging = STAGING_INIT;
	cleanup_fd int fd = -1;

	if (staging_open(&staging, err) < 0)
		return -1;
	fprintf(check->out, "ok: private directories can be made: %s\n", staging.path);
	if (!check->set.n_meta || check->mixed_modes)
		return 0;
	fd = covdata_textfmt(covdata, &check->set, &staging, NULL, &check->deadline, err);
	text = fd >= 0 ? profile_text_of_file(fd, err) : NULL;
	if (!text)
		return -1;
	fprintf(check->out, "ok: covdata textfmt gives a profile of %zu bytes\n", text->len);
	return 0;
}

static void check_covdata(struct check *check)
{
	struct error err = {0};
	struct covdata *covdata;

	if (check->app->settings.engine == ENGINE_SETTING_BUILTIN) {
		fputs("note: covdata is not used: GOVERAGE_ENGINE is builtin\n", check->out);
		return;
	}
	covdata = covdata_once_get(check->app->covdata, &err);
	if (!covdata) {
		covdata_lacks(check, &err);
		return;
	}
	fprintf(check->out, "ok: covdata is %s\n", covdata_description(covdata));
	if (covdata_prepare(covdata, &check->deadline, &err) < 0 ||
	    try_covdata(check, covdata, &err) < 0)
		covdata_lacks(check, &err);
}

/* What follows runs in it, as the responder does. */
static void check_sandbox(struct check *check)
{
	cleanup_buffer struct buffer said = BUFFER_INIT;
	struct error err = {0};

	if (app_confine(check->app, NULL, &said, &err) < 0)
		failed(check, &err);
	else
		fprintf(check->out, "%s: %s\n",
			check->app->settings.sandbox == SANDBOX_SETTING_OFF ? "note" : "ok",
			buffer_str(&said));
}

int check_run(FILE *out)
{
	struct app app;
	struct error err = {0};
	struct check check = {.out = out, .app = &app};

	fprintf(out, "goverage-fcgi, as user %u, group %u\n", (unsigned)geteuid(),
		(unsigned)getegid());
	if (app_init(&app, APP_FOR_ONE_ANSWER, &err) < 0) {
		failed(&check, &err);
		return -1;
	}
	fputs("ok: the settings are valid\n", out);
	check_sandbox(&check);
	check.deadline = deadline_in_ms(app.settings.timeout_s * 1000, -1);
	check_directory(&check);
	check_processes(&check);
	check_covdata(&check);
	coverage_set_free(&check.set);
	app_free(&app);
	return check.failures ? -1 : 0;
}
