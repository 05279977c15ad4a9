#include "cgi/collect/endings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cgi/collect/program_name.h"
#include "cgi/collect/seen_processes.h"
#include "cgi/directory/coverage_find.h"
#include "cgi/directory/coverage_list.h"
#include "cgi/directory/coverage_names.h"
/* File times go by the kernel's ticks. */
static const int64_t tick_ns = 20000000;

struct search {
	struct endings *endings;
	const struct endings_view *view;
	const struct live_report *live; /* of all programs */
	const struct coverage_file *unexplained[ENDINGS_NAMED];
	size_t n;    /* of these */
	size_t more; /* beyond */
	struct error *err;
};

static bool is_good(const struct endings_view *view, size_t i)
{
	return !view->findings || view->findings[i] != COVERAGE_DAMAGED;
}

static void name_of_tag(const struct coverage_file *file, char *out, size_t room)
{
	snprintf(out, room, "%.*s", (int)file->tag_len, coverage_tag(file));
}

/* Add `runs` lost runs of a program; beyond ENDINGS_NAMED they are only counted. */
static int add_lost(struct endings *endings, const char *hash, const char *name, bool was_seen,
		    struct error *err)
{
	struct lost_program *program;
	size_t i;

	endings->lost++;
	endings->unseen += !was_seen;
	for (i = 0; i < endings->n; i++)
		if (strcmp(endings->programs[i].hash, hash) == 0) {
			endings->programs[i].runs++;
			return 0;
		}
	if (endings->n == ENDINGS_NAMED)
		return 0;
	if (!endings->programs)
		endings->programs = calloc(ENDINGS_NAMED, sizeof *endings->programs);
	if (!endings->programs)
		return error_no_memory(err);
	program = &endings->programs[endings->n++];
	snprintf(program->hash, sizeof program->hash, "%s", hash);
	program->runs = 1;
	program->was_seen = was_seen;
	program->name = strdup(*name ? name : "unknown program");
	return program->name ? 0 : error_no_memory(err);
}

/* --- those that were read before ------------------------------------------------------------- */

static int lose_seen(void *context, const char *hash, const char *name)
{
	struct search *search = context;

	return add_lost(search->endings, hash, name, true, search->err);
}

/* --- meta-data alone ------------------------------------------------------------------------- */

static bool has_good_counters(const struct endings_view *view, const struct coverage_file *meta)
{
	char tag[64];
	struct coverage_find names;
	size_t i;

	name_of_tag(meta, tag, sizeof tag);
	names = coverage_find_of_program(view->set, tag);
	while (coverage_find_next(&names, &i))
		if (is_good(view, i))
			return true;
	return false;
}

static bool is_read(const struct live_report *live, const struct coverage_file *meta)
{
	size_t i;

	for (i = 0; i < live->n; i++)
		if (live->processes[i].state == LIVE_READ &&
		    coverage_tag_is(meta, live->processes[i].hash))
			return true;
	return false;
}

/* Written when the processes had been looked at, or no longer there. */
static bool is_young(const struct endings_view *view, const struct coverage_file *meta)
{
	struct stat st;
	int64_t written_ns;

	if (fstatat(view->dirs->fds[meta->dir], meta->name, &st, 0) < 0)
		return true;
	written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return written_ns > view->looked_ns - tick_ns;
}

static int gather_unexplained(struct search *search, struct error *err)
{
	const struct coverage_set *set = search->view->set;
	size_t i, seen = 0;

	for (i = 0; i < set->n_files; i++) {
		const struct coverage_file *meta = &set->files[i];

		if (meta->kind != COVERAGE_META || !is_good(search->view, i) ||
		    meta->tag_len >= sizeof search->endings->programs->hash)
			continue;
		if (coverage_check_step(search->view->deadline, seen++, err) < 0)
			return -1;
		if (is_read(search->live, meta) || has_good_counters(search->view, meta) ||
		    coverage_find_came_before(set, meta) || is_young(search->view, meta))
			continue;
		if (search->n < ENDINGS_NAMED)
			search->unexplained[search->n++] = meta;
		else
			search->more++;
	}
	return 0;
}

/* A process that could not be read, and may run what has left meta-data alone. */
static bool is_unread(const struct live_process *p)
{
	return p->state == LIVE_DENIED || p->state == LIVE_UNSUPPORTED;
}

/* Is there a process that could not be read of this name; with NULL, of any name? */
static bool has_unread(const struct live_report *live, const char *name)
{
	size_t i;

	for (i = 0; i < live->n; i++)
		if (is_unread(&live->processes[i]) &&
		    (!name || !live->processes[i].program ||
		     strcmp(live->processes[i].program, name) == 0))
			return true;
	return false;
}

/* Does each process that could not be read have the name of one of these programs? */
static bool names_tell(const struct live_report *live, char names[][64], size_t n)
{
	size_t i, j;

	for (i = 0; i < live->n; i++) {
		const struct live_process *p = &live->processes[i];

		for (j = 0; j < n && is_unread(p); j++)
			if (p->program && strcmp(p->program, names[j]) == 0)
				break;
		if (is_unread(p) && j == n)
			return false;
	}
	return true;
}

static int name_unexplained(const struct search *search, char names[][64], struct error *err)
{
	size_t i;

	for (i = 0; i < search->n; i++) {
		const struct coverage_file *meta = search->unexplained[i];
		const struct input_file input = {
		    .file = meta,
		    .dir = search->view->dirs->paths.items[meta->dir].text,
		    .dir_fd = search->view->dirs->fds[meta->dir]};
		cleanup_buffer struct buffer name = BUFFER_INIT;

		if (program_name_of_meta(&input, &name, err) < 0)
			return -1;
		snprintf(names[i], sizeof names[i], "%s", buffer_str(&name));
	}
	return 0;
}

static int lose_unexplained(struct search *search, struct error *err)
{
	char names[ENDINGS_NAMED][64], tag[64];
	size_t i;

	if (name_unexplained(search, names, err) < 0)
		return -1;
	if (has_unread(search->live, NULL) && !names_tell(search->live, names, search->n))
		return 0;
	for (i = 0; i < search->n; i++) {
		name_of_tag(search->unexplained[i], tag, sizeof tag);
		/* what was missed has been counted */
		if (!has_unread(search->live, names[i]) && !endings_lost_of(search->endings, tag) &&
		    add_lost(search->endings, tag, names[i], false, err) < 0)
			return -1;
	}
	search->endings->lost += search->more;
	search->endings->unseen += search->more;
	return 0;
}

/* The programs that were not asked for may be running: then they have not ended. */
static int look_at_all(struct search *search, struct live_report *all, struct error *err)
{
	const struct endings_view *view = search->view;

	if (!view->services->n || !search->n)
		return 0;
	if (live_snapshot(view->cache, &view->dirs->paths, NULL, NULL, view->deadline, all, err) <
	    0)
		return -1;
	search->live = all;
	search->n = search->more = 0;
	return gather_unexplained(search, err);
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool is_of_running(const struct live_report *live, const struct coverage_file *file)
{
	size_t i;

	for (i = 0; i < live->n; i++) {
		const struct live_process *p = &live->processes[i];

		if (p->state == LIVE_READ && p->ns_pid == file->pid &&
		    (int64_t)file->time_ns >= p->start_ns && coverage_tag_is(file, p->hash))
			return true;
	}
	return false;
}

/* The counter files, less the damaged ones and those that running processes have written. */
static size_t count_ended(const struct endings_view *view)
{
	const struct coverage_set *set = view->set;
	size_t n = set->n_counters, i;

	for (i = 0; view->findings && i < set->n_files; i++)
		n -= set->files[i].kind == COVERAGE_COUNTERS && !is_good(view, i);
	for (i = 0; i < view->live->n; i++) {
		const struct live_process *p = &view->live->processes[i];
		struct coverage_find names;
		size_t at;

		if (p->state != LIVE_READ || !p->hash)
			continue;
		names = coverage_find_of(set, p->hash, p->ns_pid);
		while (coverage_find_next(&names, &at))
			n -= is_good(view, at) && is_of_running(view->live, &set->files[at]);
	}
	return n;
}

int endings_find(struct endings *endings, const struct endings_view *view, struct error *err)
{
	struct search search = {.endings = endings, .view = view, .live = view->live, .err = err};
	cleanup_live_report struct live_report all = LIVE_REPORT_INIT;

	endings->known = true;
	endings->ended = count_ended(view);
	if (seen_processes_compare(view->seen, view, lose_seen, &search) < 0 ||
	    gather_unexplained(&search, err) < 0 || look_at_all(&search, &all, err) < 0)
		return -1;
	return search.n ? lose_unexplained(&search, err) : 0;
}

int64_t endings_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

size_t endings_lost_of(const struct endings *endings, const char *hash)
{
	size_t i;

	for (i = 0; i < endings->n; i++)
		if (strcmp(endings->programs[i].hash, hash) == 0)
			return endings->programs[i].runs;
	return 0;
}

uint64_t endings_fingerprint(const struct endings *endings, uint64_t seed)
{
	size_t i, j;

	for (i = 0; i < endings->n; i++) {
		const struct lost_program *p = &endings->programs[i];

		for (j = 0; p->hash[j]; j++)
			seed = (seed ^ (unsigned char)p->hash[j]) * 0x100000001b3u;
		seed = (seed ^ p->runs) * 0x100000001b3u;
	}
	return endings->lost ? (seed ^ endings->lost) * 0x100000001b3u : seed;
}

void endings_free(struct endings *endings)
{
	size_t i;

	for (i = 0; i < endings->n; i++)
		free(endings->programs[i].name);
	free(endings->programs);
	*endings = ENDINGS_INIT;
}
