#include "cgi/collect/seen_processes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/directory/coverage_find.h"

/* A process names its last file before it fills it, and may have done so before it was read. */
static const int64_t naming_ns = 1000000000;

struct seen_process {
	uint64_t place; /* of its directories; 0 = free */
	pid_t pid;
	uint64_t ns_pid, start_ticks;
	int64_t read_ns;  /* when it was read last */
	uint64_t file_ns; /* of the counter file that it left; 0 = none was found */
	char hash[33];
	char name[64];
};

struct seen_processes {
	pthread_mutex_t lock;
	struct seen_process list[SEEN_PROCESSES];
};

struct seen_processes *seen_processes_new(void)
{
	struct seen_processes *seen = calloc(1, sizeof *seen);

	if (seen && pthread_mutex_init(&seen->lock, NULL) != 0) {
		free(seen);
		return NULL;
	}
	return seen;
}

void seen_processes_free(struct seen_processes *seen)
{
	if (!seen)
		return;
	pthread_mutex_destroy(&seen->lock);
	free(seen);
}

/* One number for a list of directories. */
static uint64_t place_of(const struct string_list *paths)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	size_t i, j;

	for (i = 0; i < paths->n; i++)
		for (j = 0; j <= paths->items[i].len; j++)
			hash = (hash ^ (unsigned char)paths->items[i].text[j]) * 0x100000001b3u;
	return hash | 1;
}

/* --- remembering ----------------------------------------------------------------------------- */

/* Its entry, a free one, or that of the process which was read least recently. */
static struct seen_process *entry_for(struct seen_processes *seen, uint64_t place,
				      const struct live_process *p)
{
	struct seen_process *oldest = &seen->list[0];
	size_t i;

	for (i = 0; i < SEEN_PROCESSES; i++) {
		struct seen_process *entry = &seen->list[i];

		if (entry->place == place && entry->pid == p->pid &&
		    entry->start_ticks == p->start_ticks && strcmp(entry->hash, p->hash) == 0)
			return entry;
		if (!entry->place)
			oldest = entry;
		else if (oldest->place && entry->read_ns < oldest->read_ns)
			oldest = entry;
	}
	return oldest;
}

static void remember(struct seen_processes *seen, uint64_t place, const struct live_report *live)
{
	size_t i;

	for (i = 0; i < live->n; i++) {
		const struct live_process *p = &live->processes[i];
		struct seen_process *entry;

		if (p->state != LIVE_READ || !p->hash || strlen(p->hash) >= sizeof entry->hash)
			continue;
		entry = entry_for(seen, place, p);
		*entry = (struct seen_process){.place = place,
					       .pid = p->pid,
					       .ns_pid = p->ns_pid,
					       .start_ticks = p->start_ticks,
					       .read_ns = p->read_ns};
		snprintf(entry->hash, sizeof entry->hash, "%s", p->hash);
		snprintf(entry->name, sizeof entry->name, "%s", p->program ? p->program : "");
	}
}

/* --- missing --------------------------------------------------------------------------------- */

/*
 * Has it ended what it ran?  Not while it is read, as what has just ended was, too; a process that
 * is read and runs another program now has: the kernel's exec gives nobody the time to write.
 */
static bool has_ended(const struct seen_process *entry, const struct live_report *live)
{
	bool runs_another = false;
	size_t i;

	for (i = 0; i < live->n; i++) {
		const struct live_process *p = &live->processes[i];

		if (p->state != LIVE_READ || p->pid != entry->pid ||
		    p->start_ticks != entry->start_ticks)
			continue;
		if (p->hash && strcmp(p->hash, entry->hash) == 0)
			return false;
		runs_another = true;
	}
	return runs_another || !live_is_running(entry->pid, entry->start_ticks);
}

/* Does the file stand for another process that has gone? */
static bool is_taken(const struct seen_processes *seen, const struct seen_process *entry,
		     uint64_t time_ns)
{
	size_t i;

	for (i = 0; i < SEEN_PROCESSES; i++) {
		const struct seen_process *other = &seen->list[i];

		if (other->place == entry->place && other->file_ns == time_ns &&
		    other->ns_pid == entry->ns_pid && strcmp(other->hash, entry->hash) == 0)
			return true;
	}
	return false;
}

static bool has_left_counters(struct seen_processes *seen, struct seen_process *entry,
			      const struct endings_view *view)
{
	struct coverage_find names = coverage_find_of(view->set, entry->hash, entry->ns_pid);
	size_t i;

	while (!entry->file_ns && coverage_find_next(&names, &i)) {
		const struct coverage_file *file = &view->set->files[i];

		if ((int64_t)file->time_ns >= entry->read_ns - naming_ns &&
		    !(view->findings && view->findings[i] == COVERAGE_DAMAGED) &&
		    !is_taken(seen, entry, file->time_ns))
			entry->file_ns = file->time_ns;
	}
	return entry->file_ns != 0;
}

static bool is_selected(const struct endings_view *view, const struct seen_process *entry)
{
	return !view->services->n ||
	       string_list_has(view->services, entry->name, strlen(entry->name));
}

static int compare(struct seen_processes *seen, const struct endings_view *view, seen_lost *lost,
		   void *context)
{
	uint64_t place = place_of(&view->dirs->paths);
	size_t i;

	remember(seen, place, view->live);
	for (i = 0; i < SEEN_PROCESSES; i++) {
		struct seen_process *entry = &seen->list[i];

		if (entry->place != place || !is_selected(view, entry))
			continue;
		if (!has_ended(entry, view->live))
			continue;
		/* somebody has cleared the directory */
		if (!coverage_find_has_meta(view->set, entry->hash)) {
			/* where others were left out, so may have been its meta-data */
			entry->place = view->services->n ? place : 0;
			continue;
		}
		if (!has_left_counters(seen, entry, view) &&
		    lost(context, entry->hash, entry->name) < 0)
			return -1;
	}
	return 0;
}

int seen_processes_compare(struct seen_processes *seen, const struct endings_view *view,
			   seen_lost *lost, void *context)
{
	int rc;

	pthread_mutex_lock(&seen->lock);
	rc = compare(seen, view, lost, context);
	pthread_mutex_unlock(&seen->lock);
	return rc;
}
