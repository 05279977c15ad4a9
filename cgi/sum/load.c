#include "cgi/sum/load.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cgi/directory/coverage_list.h"
#include "cgi/directory/input_read.h"

enum {
	MAX_THREADS = 8,
	JOBS_PER_THREAD = 48, /* for fewer a thread is not worth its start and its own counters */
};

/* What all threads share. */
struct load {
	struct load_job *jobs;
	size_t n_jobs;
	atomic_size_t next; /* the first job that nobody has taken */
	const struct deadline *deadline;
};

/* One thread. */
struct loader {
	struct load *load;
	struct merge_sink sink;
	bool failed;
	struct error err;
	pthread_t thread;
};

/* A file that can't be used costs that file; being out of something costs the request. */
static int settle_failure(struct load_job *job, bool gone, struct error *err)
{
	if (gone) {
		job->outcome = LOAD_GONE;
		return 0;
	}
	if (err->class != ERROR_INTERNAL)
		return -1;
	job->outcome = err->errnum ? LOAD_UNREAD : LOAD_DAMAGED;
	job->reason = strdup(err->message);
	return job->reason ? 0 : error_no_memory(err);
}

static int run_job(struct load_job *job, struct file_bytes *scratch, struct merge_work *work,
		   const struct merge_sink *sink, struct error *err)
{
	const struct file_bytes *bytes = job->bytes.data ? &job->bytes : scratch;
	bool gone = false;

	if (!job->bytes.data && input_read(job->input, scratch, &gone, err) < 0)
		return settle_failure(job, gone, err);
	if (merge_counter_file(job->target, bytes->data, bytes->len, sink, work, &job->notes, err) <
	    0)
		return settle_failure(job, false, err);
	job->outcome = LOAD_ADDED;
	return 0;
}

/* Take jobs until there are none. */
static void run_loader(struct loader *loader)
{
	cleanup_file_bytes struct file_bytes bytes = FILE_BYTES_INIT;
	cleanup_merge_work struct merge_work work = MERGE_WORK_INIT;
	struct load *load = loader->load;
	size_t i;

	while ((i = atomic_fetch_add(&load->next, 1)) < load->n_jobs) {
		if (coverage_check_step(load->deadline, i, &loader->err) < 0 ||
		    run_job(&load->jobs[i], &bytes, &work, &loader->sink, &loader->err) < 0) {
			loader->failed = true;
			atomic_store(&load->next, load->n_jobs);
			return;
		}
	}
}

static void *loader_main(void *loader)
{
	run_loader(loader);
	return NULL;
}

static size_t threads_for(size_t n_jobs)
{
	size_t most = n_jobs / JOBS_PER_THREAD;
	long cpus;

	if (most < 2)
		return 1; /* asking for the processors takes the reading of a file */
	if (most > MAX_THREADS)
		most = MAX_THREADS;
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	return cpus > 0 && most > (size_t)cpus ? (size_t)cpus : most;
}

/*
 * Where a thread collects: in mode set marks, which need a quarter of the memory, and are faster;
 * else counters, of which the first thread has those of the profile.
 */
static int make_sink(struct merge_sink *sink, const struct covprofile *profile, bool first)
{
	size_t n = profile->n_counters + COUNTERS_SLACK;

	*sink = (struct merge_sink){NULL, NULL};
	if (covprofile_is_set(profile))
		sink->marks = calloc(n, sizeof *sink->marks);
	else
		sink->counters = first ? profile->counters : calloc(n, sizeof *sink->counters);
	return sink->marks || sink->counters ? 0 : -1;
}

/* Add what a thread has collected to the profile. */
static void empty_sink(struct merge_sink *sink, struct covprofile *profile)
{
	uint32_t *to = profile->counters;
	size_t n = profile->n_counters, i;

	if (sink->marks)
		for (i = 0; i < n; i++)
			to[i] |= sink->marks[i] != 0;
	else if (sink->counters != to)
		for (i = 0; i < n; i++)
			to[i] = to[i] + sink->counters[i] < to[i] ? UINT32_MAX
								  : to[i] + sink->counters[i];
	free(sink->marks);
	if (sink->counters != to)
		free(sink->counters);
}

/* Start up to n more threads; returns how many run. */
static size_t start_loaders(struct loader *loaders, size_t n, struct load *load,
			    struct covprofile *profile)
{
	sigset_t all, before;
	size_t started;

	/* signals are for the thread that waits for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (started = 0; started < n; started++) {
		struct loader *loader = &loaders[started];

		loader->load = load;
		if (make_sink(&loader->sink, profile, false) < 0)
			break;
		if (pthread_create(&loader->thread, NULL, loader_main, loader) != 0) {
			empty_sink(&loader->sink, profile);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

int load_files(struct load_job *jobs, size_t n_jobs, struct covprofile *profile,
	       const struct deadline *deadline, struct error *err)
{
	struct load load = {jobs, n_jobs, 0, deadline};
	cleanup_free struct loader *loaders = calloc(MAX_THREADS, sizeof *loaders);
	size_t wanted = threads_for(n_jobs), n = 1, i;

	if (!loaders || make_sink(&loaders[0].sink, profile, true) < 0)
		return error_no_memory(err);
	loaders[0].load = &load;
	/* where no thread can be had, this one does it all */
	if (wanted > 1)
		n += start_loaders(loaders + 1, wanted - 1, &load, profile);
	run_loader(&loaders[0]);
	for (i = 1; i < n; i++)
		pthread_join(loaders[i].thread, NULL);
	for (i = 0; i < n; i++)
		empty_sink(&loaders[i].sink, profile);
	for (i = 0; i < n && !loaders[i].failed; i++)
		;
	if (i < n && err)
		*err = loaders[i].err;
	return i < n ? -1 : 0;
}

int load_read_ahead(struct load_job *jobs, size_t n_jobs, size_t most, bool *all,
		    const struct deadline *deadline, struct error *err)
{
	size_t i;

	*all = true;
	for (i = 0; i < n_jobs && *all; i++) {
		struct file_bytes *bytes = &jobs[i].bytes;
		struct error ignored;
		bool gone;

		if (coverage_check_step(deadline, i, err) < 0)
			return -1;
		if (input_read(jobs[i].input, bytes, &gone, &ignored) < 0)
			file_bytes_free(bytes);
		else
			file_bytes_trim(bytes);
		*all = bytes->data && file_bytes_memory(bytes) <= most;
		most -= *all ? file_bytes_memory(bytes) : 0;
	}
	return 0;
}

void load_jobs_free(struct load_job *jobs, size_t n_jobs)
{
	size_t i;

	for (i = 0; jobs && i < n_jobs; i++) {
		file_bytes_free(&jobs[i].bytes);
		free(jobs[i].reason);
	}
	free(jobs);
}
