#include "cgi/covdata/covdata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/buffer.h"
#include "cgi/base/io.h"
#include "cgi/base/log.h"
#include "cgi/covdata/child.h"
#include "cgi/covdata/covdata_tool.h"
#include "cgi/covdata/covdata_words.h"

#define COVDATA_MODE_LINE "mode: "

/* One answer under way. */
struct job {
	struct covdata *covdata;
	struct coverage_set *set;
	const struct staging *staging;
	const char *extra;
	const struct deadline *deadline;
};

/* --- staging --------------------------------------------------------------------------------- */

static void subdir_name(size_t dir, char out[16])
{
	snprintf(out, 16, "%u", (unsigned)dir);
}

/* Links to the files *from ... of directory `dir`, which lie together in the set. */
static int stage_directory(const struct job *job, size_t dir, size_t *from, struct error *err)
{
	const struct coverage_set *set = job->set;
	cleanup_buffer struct buffer target = BUFFER_INIT;
	cleanup_fd int fd = -1;
	char subdir[16];

	subdir_name(dir, subdir);
	fd = staging_subdir(job->staging, subdir, err);
	if (fd < 0)
		return -1;
	for (; *from < set->n_files && set->files[*from].dir == dir; ++*from) {
		const char *name = set->files[*from].name;

		buffer_reset(&target);
		buffer_printf(&target, "%s/%s", set->dirs.items[dir].text, name);
		if (target.failed)
			return error_no_memory(err);
		if (symlinkat(buffer_str(&target), fd, name) < 0)
			return error_errno(err, ERROR_INTERNAL, errno,
					   "can't link a coverage file into %s",
					   job->staging->path);
	}
	return 0;
}

static int stage(const struct job *job, struct error *err)
{
	size_t dir, from = 0;

	for (dir = 0; dir < job->set->dirs.n; dir++)
		if (stage_directory(job, dir, &from, err) < 0)
			return -1;
	return 0;
}

static void unstage(const struct job *job)
{
	char subdir[16];
	size_t dir;

	for (dir = 0; dir < job->set->dirs.n; dir++) {
		subdir_name(dir, subdir);
		staging_remove_subdir(job->staging, subdir);
	}
}

/* --- running --------------------------------------------------------------------------------- */

/* "-i=STAGE/0,STAGE/1,STAGE/extra" */
static void input_argument(const struct job *job, struct buffer *out)
{
	char subdir[16];
	size_t dir;

	buffer_puts(out, "-i=");
	for (dir = 0; dir < job->set->dirs.n; dir++) {
		subdir_name(dir, subdir);
		buffer_printf(out, "%s%s/%s", dir ? "," : "", job->staging->path, subdir);
	}
	if (job->extra)
		buffer_printf(out, ",%s/%s", job->staging->path, job->extra);
}

/* covdata on what is staged: its output, or -1.  result->said is the caller's either way. */
static int run_staged(const struct job *job, struct child_result *result, struct error *err)
{
	cleanup_buffer struct buffer input = BUFFER_INIT;
	cleanup_fd int out = memfd_create("textfmt", MFD_CLOEXEC);
	const char *args[] = {"textfmt", NULL, "-o=/proc/self/fd/1", NULL};

	if (out < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make a memory file");
	input_argument(job, &input);
	if (input.failed)
		return error_no_memory(err);
	args[1] = buffer_str(&input);
	if (covdata_run(job->covdata, args, out, result, job->deadline, err) < 0)
		return -1;
	return steal_fd(&out);
}

/* --- what went wrong ------------------------------------------------------------------------- */

/* covdata's last words, about the real files. */
static void words_of(const struct job *job, const struct child_result *result, char *out,
		     size_t room)
{
	cleanup_buffer struct buffer text = BUFFER_INIT;

	covdata_unstage(buffer_str(&result->said), result->said.len, job->staging->path,
			&job->set->dirs, &text);
	covdata_last_words(buffer_str(&text), text.len, out, room);
}

static int give_up(const struct job *job, const struct child_result *result,
		   enum covdata_fault fault, struct error *err)
{
	char words[COVDATA_LAST_WORDS], status[64];

	words_of(job, result, words, sizeof words);
	if (fault == COVDATA_FAULT_CONFLICT)
		return error_set(err, ERROR_CONFLICT,
				 "covdata can't merge the files of GOCOVERDIR (%s): give each kind "
				 "of build a directory of its own",
				 words);
	child_describe_status(result->wait_status, status, sizeof status);
	return error_set(err, ERROR_INTERNAL, "covdata %s: %s", status, words);
}

/* What covdata has against a file, about the real file. */
static void read_complaint(const struct job *job, const struct child_result *result,
			   struct covdata_complaint *complaint)
{
	cleanup_buffer struct buffer reason = BUFFER_INIT;

	covdata_complaint_parse(buffer_str(&result->said), result->said.len, job->staging->path,
				complaint);
	covdata_unstage(complaint->reason, strlen(complaint->reason), job->staging->path,
			&job->set->dirs, &reason);
	snprintf(complaint->reason, sizeof complaint->reason, "covdata: %s", buffer_str(&reason));
}

/* The index of a staged file in the set; n_files when it is not there. */
static size_t find_file(const struct coverage_set *set, const char *subdir, const char *name)
{
	char own[16];
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		subdir_name(set->files[i].dir, own);
		if (strcmp(subdir, own) == 0 && strcmp(name, set->files[i].name) == 0)
			break;
	}
	return i;
}

/* A file that the caller has put into the staging directory. */
static bool leave_out_extra(const struct job *job, const struct covdata_complaint *complaint)
{
	cleanup_fd int fd = -1;

	if (!job->extra || strcmp(complaint->subdir, job->extra) != 0)
		return false;
	fd = openat(job->staging->fd, job->extra, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || unlinkat(fd, complaint->name, 0) < 0)
		return false;
	log_line("left out file=%s/%s reason=%s", job->extra, complaint->name, complaint->reason);
	job->set->skipped++;
	return true;
}

/* Take out the file that covdata named.  Whether anything has changed: if so, it may run again. */
static bool leave_out_named(const struct job *job, const struct covdata_complaint *complaint)
{
	struct coverage_set *set = job->set;
	size_t before = set->n_files, i;

	if (leave_out_extra(job, complaint))
		return true;
	if (find_file(set, complaint->subdir, complaint->name) == before)
		return false;
	coverage_set_drop_vanished(set);
	if (set->n_files < before)
		log_line("%zu coverage files vanished meanwhile", before - set->n_files);
	i = find_file(set, complaint->subdir, complaint->name);
	if (i < set->n_files)
		coverage_set_leave_out(set, i, complaint->reason);
	return true;
}

/* Warnings of a run that went well, such as counters that fit no function. */
static void log_warnings(const struct job *job, const struct child_result *result)
{
	char words[COVDATA_LAST_WORDS];

	if (result->said.len == 0)
		return;
	words_of(job, result, words, sizeof words);
	log_line("covdata: %s", words);
}

/*
 * Its end was well: is its output, too?  A profile has a first line, and whole lines; without
 * meta-data there is none.
 */
static int check_output(const struct job *job, int out, struct error *err)
{
	char head[sizeof COVDATA_MODE_LINE - 1], last = 0;
	off_t size = lseek(out, 0, SEEK_END);

	if (size == 0 && job->set->n_meta == 0)
		return 0;
	if (size >= (off_t)sizeof head && io_pread_full(out, head, sizeof head, 0) == sizeof head &&
	    memcmp(head, COVDATA_MODE_LINE, sizeof head) == 0 &&
	    io_pread_full(out, &last, 1, size - 1) == 1 && last == '\n')
		return 0;
	return error_set(err, ERROR_INTERNAL,
			 "covdata ended well, but its output is no whole profile (%lld bytes): is "
			 "GOVERAGE_COVDATA really covdata?",
			 (long long)size);
}

/* --- the whole ------------------------------------------------------------------------------- */

/* One run: a descriptor, or -1; then *again tells that a file was left out, which is no error. */
static int attempt(const struct job *job, bool may_retry, bool *again, struct error *err)
{
	cleanup_with(child_result_free) struct child_result result = {0};
	struct covdata_complaint complaint;
	cleanup_fd int out = -1;

	*again = false;
	if (stage(job, err) == 0)
		out = run_staged(job, &result, err);
	unstage(job);
	if (out < 0)
		return -1;
	if (result.wait_status == 0) {
		log_warnings(job, &result);
		return check_output(job, out, err) == 0 ? steal_fd(&out) : -1;
	}
	read_complaint(job, &result, &complaint);
	if (complaint.fault == COVDATA_FAULT_FILE && may_retry)
		*again = leave_out_named(job, &complaint);
	return *again ? -1 : give_up(job, &result, complaint.fault, err);
}

int covdata_textfmt(struct covdata *covdata, struct coverage_set *set, struct staging *staging,
		    const char *extra, const struct deadline *deadline, struct error *err)
{
	struct job job = {covdata, set, staging, extra, deadline};
	int retries, out;
	bool again;

	for (retries = 0;; retries++) {
		out = attempt(&job, retries < COVDATA_MAX_RETRIES, &again, err);
		if (!again)
			return out;
	}
}
