#include "cgi/live/snapshot/report.h"

#include <string.h>

void live_process_free(struct live_process *line)
{
	free(line->program);
	free(line->executable);
	free(line->library);
	free(line->reason);
	free(line->hash);
	free(line->go_version);
	free(line->main_path);
	free(line->module_path);
	free(line->module_version);
	free(line->vcs_revision);
	free(line->counters_file);
	*line = (struct live_process){0};
}

static size_t *counter_of(struct live_report *report, enum live_state state)
{
	switch (state) {
	case LIVE_READ:
		return &report->read;
	case LIVE_DENIED:
		return &report->denied;
	case LIVE_GONE:
		return &report->gone;
	case LIVE_UNSUPPORTED:
		return &report->unsupported;
	}
	return &report->read;
}

int report_add(struct live_report *report, struct live_process *line)
{
	struct live_process *processes;

	if (report->n % 16 == 0) {
		processes = realloc(report->processes, (report->n + 16) * sizeof *processes);
		if (!processes)
			return -1;
		report->processes = processes;
	}
	(*counter_of(report, line->state))++;
	report->processes[report->n++] = *line;
	*line = (struct live_process){0};
	return 0;
}

/* A copy that may be absent.  -1 without memory. */
static int copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -1 : 0;
}

int report_describe(struct live_process *line, const struct program_snapshot *snapshot,
		    const struct build_info *build)
{
	const struct program *program = snapshot->program;

	line->state = LIVE_READ;
	line->read_ns = snapshot->read_ns;
	line->mode = program->mode;
	line->granularity = program->granularity;
	line->functions = program->functions;
	line->functions_touched = snapshot->entries.n;
	line->slots_dropped = snapshot->dropped;
	line->vcs_modified = build->vcs_modified;
	return copy(&line->hash, program->hex) < 0 ||
		       copy(&line->go_version, build->go_version) < 0 ||
		       copy(&line->main_path, build->main_path) < 0 ||
		       copy(&line->module_path, build->module_path) < 0 ||
		       copy(&line->module_version, build->module_version) < 0 ||
		       copy(&line->vcs_revision, build->vcs_revision) < 0
		   ? -1
		   : 0;
}

const char *live_state_name(enum live_state state)
{
	static const char *const names[] = {"read", "denied", "gone", "unsupported"};

	return names[state];
}

void live_report_remove(struct live_report *report, size_t i)
{
	(*counter_of(report, report->processes[i].state))--;
	live_process_free(&report->processes[i]);
	report->n--;
	memmove(&report->processes[i], &report->processes[i + 1],
		(report->n - i) * sizeof *report->processes);
}

void live_report_free(struct live_report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++)
		live_process_free(&report->processes[i]);
	free(report->processes);
	*report = LIVE_REPORT_INIT;
}
