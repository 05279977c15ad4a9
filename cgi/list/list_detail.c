#include "cgi/list/list_detail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cgi/base/escape.h"
#include "cgi/collect/process_address.h"
#include "cgi/format/coverage_format.h"

/* --- members of an object -------------------------------------------------------------------- */

/* The name of a member, which is plain ASCII; the value follows. */
static void put_key(struct buffer *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		buffer_putc(out, ',');
	buffer_printf(out, "\"%s\":", key);
}

static void put_text(struct buffer *out, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	put_key(out, key);
	escape_json(out, text, strlen(text));
}

static void put_number(struct buffer *out, const char *key, uint64_t number)
{
	put_key(out, key);
	buffer_printf(out, "%" PRIu64, number);
}

/* ns: unix nanoseconds, 0 = not known. */
static void put_time(struct buffer *out, const char *key, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[32];
	struct tm tm;

	if (!ns || !gmtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	put_key(out, key);
	buffer_printf(out, "\"%s.%03uZ\"", text, (unsigned)(ns / 1000000 % 1000));
}

static void put_mode(struct buffer *out, uint8_t mode)
{
	if (mode != COUNTER_MODE_NONE)
		put_text(out, "mode", counter_mode_name(mode));
}

void list_write_address(struct buffer *out, const char *host, pid_t pid)
{
	cleanup_buffer struct buffer address = BUFFER_INIT;

	process_address(&address, host, pid);
	escape_json(out, buffer_str(&address), address.len);
	out->failed |= address.failed;
}

/* --- the two kinds of objects ---------------------------------------------------------------- */

static void put_build(struct buffer *out, const struct live_process *p)
{
	put_text(out, "goVersion", p->go_version);
	put_text(out, "mainPackage", p->main_path);
	put_text(out, "modulePath", p->module_path);
	put_text(out, "moduleVersion", p->module_version);
	if (!p->vcs_revision)
		return;
	put_text(out, "vcsRevision", p->vcs_revision);
	put_key(out, "vcsModified");
	buffer_puts(out, p->vcs_modified ? "true" : "false");
}

static void put_process(struct buffer *out, const char *host, const struct live_process *p)
{
	bool is_live = p->state == LIVE_READ;

	buffer_putc(out, '{');
	put_text(out, "name", p->program);
	put_text(out, "state", is_live ? "live" : live_state_name(p->state));
	put_text(out, "reason", is_live ? NULL : p->reason);
	put_number(out, "pid", (uint64_t)p->pid);
	put_key(out, "address");
	list_write_address(out, host, p->pid);
	put_time(out, "startTime", p->start_ns > 0 ? (uint64_t)p->start_ns : 0);
	put_text(out, "executable", p->executable);
	put_text(out, "library", p->library);
	put_build(out, p);
	if (is_live) {
		put_mode(out, p->mode);
		put_text(out, "hash", p->hash);
		put_number(out, "functions", p->functions);
		put_number(out, "functionsTouched", p->functions_touched);
	}
	buffer_putc(out, '}');
}

static const char may_be_running[] =
    "it has no counter file: a process that could not be read may be running it, or it was killed";

static const char is_lost[] =
    "it has no counter file, and no process of it is seen: it was killed, "
    "crashed, or runs in another PID namespace";

static const char *state_of(const struct ended_program *p)
{
	return p->may_be_running ? "unknown" : p->lost && !p->counter_files ? "lost" : "ended";
}

static const char *reason_of(const struct ended_program *p)
{
	return p->may_be_running ? may_be_running : p->lost && !p->counter_files ? is_lost : NULL;
}

static void put_ended(struct buffer *out, const struct ended_program *p)
{
	buffer_putc(out, '{');
	put_text(out, "name", p->program);
	put_text(out, "state", state_of(p));
	put_text(out, "reason", reason_of(p));
	put_text(out, "mainPackage", p->main_path);
	put_text(out, "modulePath", p->module_path);
	put_mode(out, p->mode);
	put_text(out, "hash", p->hash);
	if (p->knows_functions)
		put_number(out, "functions", p->functions);
	if (p->knows_touched)
		put_number(out, "functionsTouched", p->functions_touched);
	put_number(out, "counterFiles", p->counter_files);
	if (p->lost)
		put_number(out, "lost", p->lost);
	put_time(out, "newest", p->newest_ns);
	buffer_putc(out, '}');
}

void list_detail_write(struct buffer *out, const char *host, const struct live_report *live,
		       const struct ended_list *ended)
{
	size_t i;

	buffer_putc(out, '[');
	for (i = 0; i < live->n; i++) {
		buffer_puts(out, i ? ",\n" : "");
		put_process(out, host, &live->processes[i]);
	}
	for (i = 0; i < ended->n; i++) {
		buffer_puts(out, i || live->n ? ",\n" : "");
		put_ended(out, &ended->programs[i]);
	}
	buffer_puts(out, "]\n");
}
