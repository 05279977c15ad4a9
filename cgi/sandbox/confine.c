#include "cgi/sandbox/confine.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/prctl.h>

#include "cgi/sandbox/capabilities.h"
#include "cgi/sandbox/landlock.h"
#include "cgi/sandbox/seccomp_filter.h"

struct confinement {
	const struct settings *settings;
	const struct confine_needs *needs;
	char *socket_dir; /* owned; NULL = none */
	struct buffer *said;
};

static bool starts_programs(const struct confinement *c)
{
	return c->settings->engine != ENGINE_SETTING_BUILTIN;
}

static bool reads_processes(const struct confinement *c)
{
	return c->settings->live != LIVE_SETTING_OFF;
}

/* --- capabilities ---------------------------------------------------------------------------- */

static bool must_override(const struct confinement *c)
{
	size_t i;

	for (i = 0; i < c->needs->places->n; i++)
		if (!capabilities_can_write_plainly(c->needs->places->items[i].text))
			return true;
	return c->socket_dir && !capabilities_can_write_plainly(c->socket_dir);
}

/*
 * Without CAP_SYS_PTRACE a process may read only those that have no capability which it lacks
 * itself: then each of them counts.
 */
static uint64_t capabilities_needed(const struct confinement *c)
{
	uint64_t held = capabilities_held(), needed = capabilities_for_reading();

	if (held && reads_processes(c)) {
		if (!(held & CAPABILITY_SYS_PTRACE))
			return CAPABILITIES_ALL;
		needed |= CAPABILITY_SYS_PTRACE;
	}
	if (held & CAPABILITY_DAC_OVERRIDE && must_override(c))
		needed |= CAPABILITY_DAC_OVERRIDE;
	return needed;
}

static int limit_capabilities(struct confinement *c, struct error *err)
{
	uint64_t needed = capabilities_needed(c);

	if (capabilities_keep(needed) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "capabilities can't be given up");
	buffer_puts(c->said, "; capabilities: ");
	capabilities_describe(needed, c->said);
	return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

static int add_rules(const struct confinement *c, int rules, struct error *err)
{
	size_t i;

	for (i = 0; i < c->needs->places->n; i++)
		if (landlock_allow_changes(rules, c->needs->places->items[i].text, err) < 0)
			return -1;
	if (c->socket_dir && landlock_allow_removal(rules, c->socket_dir, err) < 0)
		return -1;
	return landlock_allow_writing(rules, "/dev/null", err);
}

static int restrict_files(struct confinement *c, struct error *err)
{
	cleanup_fd int rules = landlock_rules(err);
	size_t i;

	if (rules < 0 || add_rules(c, rules, err) < 0)
		return -1;
	if (landlock_confine_thread(rules) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "Landlock refuses to confine");
	buffer_puts(c->said, "; Landlock: files are changed only below");
	for (i = 0; i < c->needs->places->n; i++)
		buffer_printf(c->said, "%s %s", i ? "," : "", c->needs->places->items[i].text);
	return 0;
}

/* Why this process does without Landlock; NULL: it doesn't. */
static const char *why_unrestricted(const struct confinement *c)
{
	if (reads_processes(c))
		return "off, since it would forbid reading running processes";
	if (starts_programs(c) && !c->needs->finds_covdata)
		return "off, since go may have to build covdata";
	if (!c->settings->gocoverdir && !c->settings->state)
		return "off, since requests bring GOCOVERDIR";
	return NULL;
}

static int limit_files(struct confinement *c, struct error *err)
{
	const char *unrestricted = why_unrestricted(c), *missing = NULL;
	bool can = landlock_version(&missing) > 0;

	if (!can && c->settings->sandbox == SANDBOX_SETTING_ON &&
	    (!unrestricted || starts_programs(c)))
		return error_set(err, ERROR_INTERNAL, "%s", missing);
	if (can && !unrestricted)
		return restrict_files(c, err);
	buffer_printf(c->said, "; Landlock: %s", can ? unrestricted : missing);
	if (can && starts_programs(c))
		buffer_puts(c->said, "; covdata can change no file");
	return 0;
}

/* --- system calls ---------------------------------------------------------------------------- */

static int limit_calls(struct confinement *c, struct error *err)
{
	bool programs = starts_programs(c);
	const char *missing;

	if (!seccomp_available(&missing)) {
		if (c->settings->sandbox == SANDBOX_SETTING_ON)
			return error_set(err, ERROR_INTERNAL, "%s", missing);
		buffer_printf(c->said, "; seccomp: %s", missing);
		return 0;
	}
	if (seccomp_confine(programs ? SECCOMP_REFUSE_DANGEROUS : SECCOMP_NEEDED_ONLY, err) < 0)
		return -1;
	buffer_puts(
	    c->said,
	    programs ? "; seccomp refuses the calls that covdata and this program have no use for"
		     : "; seccomp lets pass only the calls that are needed");
	return 0;
}

/* --- all together ---------------------------------------------------------------------------- */

static int prepare(struct confinement *c, struct error *err)
{
	cleanup_free char *copy = NULL;

	if (!c->needs->socket_path)
		return 0;
	copy = strdup(c->needs->socket_path);
	c->socket_dir = copy ? strdup(dirname(copy)) : NULL;
	return c->socket_dir ? 0 : error_no_memory(err);
}

static int confine_by(struct confinement *c, struct error *err)
{
	if (prepare(c, err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "no_new_privs can't be set");
	buffer_puts(c->said, "sandbox: no new privileges");
	if (limit_capabilities(c, err) < 0 || limit_files(c, err) < 0)
		return -1;
	return limit_calls(c, err);
}

int confine(const struct settings *settings, const struct confine_needs *needs, struct buffer *said,
	    struct error *err)
{
	struct confinement c = {.settings = settings, .needs = needs, .said = said};
	struct error why = {0};
	int rc;

	if (settings->sandbox == SANDBOX_SETTING_OFF) {
		buffer_puts(said, "sandbox: off");
		return 0;
	}
	rc = confine_by(&c, &why);
	free(c.socket_dir);
	if (rc == 0)
		return 0;
	if (settings->sandbox == SANDBOX_SETTING_ON)
		return error_set(err, ERROR_INTERNAL,
				 "GOVERAGE_SANDBOX is on, and it can't be had: %s", why.message);
	buffer_printf(said, "%s no further: %s", said->len ? ";" : "sandbox:", why.message);
	return 0;
}
