#include "cgi/directory/coverage_set.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "cgi/directory/coverage_dirs.h"
#include "cgi/directory/coverage_list.h"
#include "cgi/directory/coverage_names.h"
#include "cgi/directory/coverage_screen.h"

enum verdict {
	VERDICT_GOOD,
	VERDICT_BAD,  /* left out, logged and counted */
	VERDICT_GONE, /* no longer there: left out in silence */
};

/* One tag, and what its meta-data turned out to be. */
struct tag {
	struct coverage_file *meta; /* in the set */
	enum verdict verdict;
};

/* The choice under way. */
struct reader {
	struct coverage_set *set;
	struct coverage_dirs dirs;
	const struct deadline *deadline;
	size_t looked_at;
	struct tag *tags; /* owned; sorted, each tag once */
	size_t n_tags;
};

static void reader_free(struct reader *r)
{
	coverage_dirs_close(&r->dirs);
	free(r->tags);
}

/* --- leaving out ----------------------------------------------------------------------------- */

static void skip(struct coverage_set *set, struct coverage_file *file, const char *reason)
{
	file->dropped = true;
	set->skipped++;
	if (set->skipped <= COVERAGE_LOGGED_SKIPS)
		log_line("left out file=%s/%s reason=%s", set->dirs.items[file->dir].text,
			 file->name, reason);
	else if (set->skipped == COVERAGE_LOGGED_SKIPS + 1)
		log_line("left out more files for this request, without a line for each");
}

/* Take the dropped files out of the array, and count what stays. */
static void compact(struct coverage_set *set)
{
	size_t from, to = 0;

	set->n_meta = set->n_counters = 0;
	for (from = 0; from < set->n_files; from++) {
		if (set->files[from].dropped) {
			free(set->files[from].name);
			continue;
		}
		set->n_meta += set->files[from].kind == COVERAGE_META;
		set->n_counters += set->files[from].kind == COVERAGE_COUNTERS;
		set->files[to++] = set->files[from];
	}
	set->cut |= to < set->n_files;
	set->n_files = to;
}

/* --- looking into files ---------------------------------------------------------------------- */

/* A file that was listed and can't be opened, for errnum.  -1 = the whole request can't go on. */
static int judge_unopened(struct reader *r, struct coverage_file *file, int errnum,
			  enum verdict *verdict, struct error *err)
{
	char reason[160];
	struct stat st;

	if (errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM)
		return error_errno(err, ERROR_UNAVAILABLE, errnum, "can't open %s", file->name);
	if (errnum == ENOENT &&
	    fstatat(r->dirs.fds[file->dir], file->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		*verdict = VERDICT_GONE;
		file->dropped = true;
		r->set->vanished++;
		return 0;
	}
	snprintf(reason, sizeof reason, "can't be opened by uid %lu: %s", (unsigned long)geteuid(),
		 strerror(errnum));
	*verdict = VERDICT_BAD;
	skip(r->set, file, reason);
	return 0;
}

/* Opened without waiting, whatever it is: a FIFO of that name would block us for ever. */
static int judge(struct reader *r, struct coverage_file *file, enum verdict *verdict,
		 struct error *err)
{
	cleanup_fd int fd = -1;
	const char *fault;
	struct stat st;

	if (coverage_check_step(r->deadline, r->looked_at++, err) < 0)
		return -1;
	fd = openat(r->dirs.fds[file->dir], file->name,
		    O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return judge_unopened(r, file, errno, verdict, err);
	file->size = (uint64_t)st.st_size;
	if (!S_ISREG(st.st_mode))
		fault = "is not a regular file";
	else if (file->kind == COVERAGE_META)
		fault = coverage_screen_meta(fd, file->size, &file->mode, &file->granularity);
	else
		fault = coverage_screen_counters(fd, file->size);
	*verdict = fault ? VERDICT_BAD : VERDICT_GOOD;
	if (fault)
		skip(r->set, file, fault);
	return 0;
}

/* --- meta-data ------------------------------------------------------------------------------- */

/* By tag; equal tags in the order of the directories, which is that of the array they lie in. */
static int by_tag(const void *a, const void *b)
{
	const struct coverage_file *one = ((const struct tag *)a)->meta;
	const struct coverage_file *two = ((const struct tag *)b)->meta;
	int order = coverage_compare_tags(one, two);

	return order ? order : (one > two) - (one < two);
}

static int collect_tags(struct reader *r, struct error *err)
{
	struct coverage_set *set = r->set;
	size_t i;

	r->tags = calloc(set->n_files + 1, sizeof *r->tags);
	if (!r->tags)
		return error_no_memory(err);
	for (i = 0; i < set->n_files; i++)
		if (set->files[i].kind == COVERAGE_META)
			r->tags[r->n_tags++].meta = &set->files[i];
	qsort(r->tags, r->n_tags, sizeof *r->tags, by_tag);
	return 0;
}

/*
 * Of the meta-data with one tag the first good file is taken; those behind it are dropped unseen,
 * as covdata does.  Afterwards r->tags holds each tag once.
 */
static int judge_meta(struct reader *r, struct error *err)
{
	size_t i, n = 0;

	for (i = 0; i < r->n_tags; i++) {
		struct tag *tag = &r->tags[i], *last = n ? &r->tags[n - 1] : NULL;
		bool again = last && coverage_compare_tags(last->meta, tag->meta) == 0;

		if (again && last->verdict == VERDICT_GOOD) {
			tag->meta->dropped = true;
			continue;
		}
		if (judge(r, tag->meta, &tag->verdict, err) < 0)
			return -1;
		if (!again)
			r->tags[n++] = *tag;
		else if (tag->verdict != VERDICT_GONE)
			*last = *tag;
	}
	r->n_tags = n;
	return 0;
}

/* --- counters -------------------------------------------------------------------------------- */

static int find_tag(const void *key, const void *element)
{
	return coverage_compare_tags(key, ((const struct tag *)element)->meta);
}

/* Was it written, with its meta-data, between the listing of the one and of the other? */
static bool meta_is_there_now(const struct reader *r, const struct coverage_file *counters)
{
	char name[NAME_MAX + 1];
	struct stat st;
	size_t i;

	snprintf(name, sizeof name, "covmeta.%.*s", (int)counters->tag_len, coverage_tag(counters));
	for (i = 0; i < r->dirs.paths.n; i++)
		if (fstatat(r->dirs.fds[i], name, &st, 0) == 0)
			return true;
	return false;
}

static int judge_counters(struct reader *r, struct coverage_file *file, struct error *err)
{
	const struct tag *tag = NULL;
	enum verdict verdict;

	if (r->n_tags)
		tag = bsearch(file, r->tags, r->n_tags, sizeof *r->tags, find_tag);
	if (tag && tag->verdict == VERDICT_GOOD)
		return file->good ? 0 : judge(r, file, &verdict, err);
	if (tag && tag->verdict == VERDICT_BAD)
		skip(r->set, file, "its meta-data file is left out");
	else if (tag || meta_is_there_now(r, file))
		file->dropped = true;
	else
		skip(r->set, file, "has no meta-data file");
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

int coverage_set_list(struct coverage_set *set, const char *gocoverdir,
		      const struct deadline *deadline, struct error *err)
{
	cleanup_coverage_dirs struct coverage_dirs dirs = {0};

	*set = COVERAGE_SET_INIT;
	if (coverage_dirs_open(&dirs, gocoverdir, err) < 0)
		return -1;
	return coverage_set_list_dirs(set, &dirs, deadline, err);
}

int coverage_set_list_dirs(struct coverage_set *set, const struct coverage_dirs *dirs,
			   const struct deadline *deadline, struct error *err)
{
	size_t room = 0, i;

	*set = COVERAGE_SET_INIT;
	for (i = 0; i < dirs->paths.n; i++) {
		const struct string_item *path = &dirs->paths.items[i];

		if (string_list_add(&set->dirs, path->text, path->len) < 0)
			return error_no_memory(err);
		if (coverage_list(set, &room, dirs->fds[i], (unsigned)i, deadline, err) < 0)
			return -1;
	}
	compact(set);
	return 0;
}

int coverage_set_screen(struct coverage_set *set, const struct deadline *deadline,
			struct error *err)
{
	cleanup_with(reader_free) struct reader r = {.set = set, .deadline = deadline};
	size_t i;

	if (coverage_dirs_reopen(&r.dirs, &set->dirs, err) < 0)
		return -1;
	if (collect_tags(&r, err) < 0 || judge_meta(&r, err) < 0)
		return -1;
	for (i = 0; i < set->n_files; i++)
		if (set->files[i].kind == COVERAGE_COUNTERS &&
		    judge_counters(&r, &set->files[i], err) < 0)
			return -1;
	compact(set);
	return 0;
}

int coverage_set_read(struct coverage_set *set, const char *gocoverdir,
		      const struct deadline *deadline, struct error *err)
{
	if (coverage_set_list(set, gocoverdir, deadline, err) < 0)
		return -1;
	return coverage_set_screen(set, deadline, err);
}

int coverage_set_keep(struct coverage_set *set, const bool *keep, struct error *err)
{
	size_t i;

	if (coverage_set_own(set, err) < 0)
		return -1;
	for (i = 0; i < set->n_files; i++)
		set->files[i].dropped = !keep[i];
	compact(set);
	return 0;
}

void coverage_set_leave_out(struct coverage_set *set, size_t i, const char *reason)
{
	const struct coverage_file *meta = &set->files[i];
	size_t k;

	skip(set, &set->files[i], reason);
	for (k = 0; meta->kind == COVERAGE_META && k < set->n_files; k++)
		if (set->files[k].kind == COVERAGE_COUNTERS &&
		    coverage_compare_tags(meta, &set->files[k]) == 0)
			skip(set, &set->files[k], "its meta-data file is left out");
	compact(set);
}

void coverage_set_believe(struct coverage_set *set, const enum coverage_finding *findings)
{
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		enum coverage_finding finding = findings ? findings[i] : COVERAGE_GOOD;

		set->files[i].good = finding == COVERAGE_GOOD;
		set->files[i].dropped = finding == COVERAGE_DAMAGED;
		set->skipped += set->files[i].dropped;
	}
	compact(set);
}

void coverage_set_drop_vanished(struct coverage_set *set)
{
	struct stat st;
	size_t d, i = 0;

	/* the files lie in the order of the directories */
	for (d = 0; d < set->dirs.n; d++) {
		cleanup_fd int fd =
		    open(set->dirs.items[d].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bool dir_is_gone = fd < 0 && errno == ENOENT;

		for (; i < set->n_files && set->files[i].dir == d; i++) {
			set->files[i].dropped =
			    dir_is_gone ||
			    (fd >= 0 && fstatat(fd, set->files[i].name, &st, 0) < 0 &&
			     errno == ENOENT);
			set->vanished += set->files[i].dropped;
		}
	}
	compact(set);
}
